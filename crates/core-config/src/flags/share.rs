use std::fmt;

/// A part of all subjects, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share(u32);

const WHOLE: u32 = 1_000_000;

impl Share {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(WHOLE);

    /// Reads `25%` or `0.5%`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let percent: f64 = text.strip_suffix('%')?.trim_end().parse().ok()?;
        let millionths = (percent * f64::from(WHOLE / 100)).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in bounds")]
        let share = (0.0..=f64::from(WHOLE)).contains(&millionths).then_some(millionths as u32);
        // What is rounded to nobody or to everybody was not meant so.
        let is_meant = |share: &u32| match *share {
            0 => percent <= 0.0,
            WHOLE => percent >= 100.0,
            _ => true,
        };
        share.filter(is_meant).map(Self)
    }

    /// Whether a subject is in the share.
    ///
    /// Each has its place between nothing and all, which depends on the two names alone: the same in
    /// every process, on every machine, in every version. Whoever is in a share is in every greater
    /// one.
    pub(super) fn holds(self, name: &str, subject: &str) -> bool {
        place(name, subject) < self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", f64::from(self.0) / f64::from(WHOLE / 100))
    }
}

/// From nothing to all, in millionths.
fn place(name: &str, subject: &str) -> u32 {
    let place = (u128::from(hash(name, subject)) * u128::from(WHOLE)) >> u64::BITS;
    u32::try_from(place).expect("less than the whole")
}

/// FNV-1a over both names, with a byte between them that no text holds, and the finalizer of
/// `MurmurHash3`, without which its high bits are not even. Never to be changed: everybody would
/// change their place.
fn hash(name: &str, subject: &str) -> u64 {
    let bytes = name.bytes().chain([0xff]).chain(subject.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CFG-11: the place of a subject is the same in every process and version.
    #[test]
    fn places_never_change() {
        assert_eq!(hash("new_planner", "alice"), GOLDEN[0]);
        assert_eq!(hash("new_planner", "bob"), GOLDEN[1]);
        assert_eq!(hash("", ""), GOLDEN[2]);
    }

    /// Made once, by another program.
    const GOLDEN: [u64; 3] = [0xf618_796f_c7e4_831d, 0xd44a_9fe3_6d2d_862f, 0x1bbd_5c81_3c69_a8d7];

    /// CFG-11: the share is right over a million subjects, within what chance allows.
    #[test]
    fn a_share_is_right() {
        let subjects = 1_000_000_u32;
        let mut places: Vec<u32> =
            (0..subjects).map(|n| place("flag", &format!("user-{n}"))).collect();
        places.sort_unstable();
        for text in ["0%", "0.1%", "1%", "25%", "50%", "99.9%", "100%"] {
            let share = Share::parse(text).unwrap();
            let held = places.partition_point(|place| *place < share.0);
            let part = f64::from(share.0) / f64::from(WHOLE);
            let expected = part * f64::from(subjects);
            // Five standard deviations: chance exceeds them once in two million.
            let most = 5.0 * (expected * (1.0 - part)).sqrt();
            let difference = (held as f64 - expected).abs();
            assert!(difference <= most, "{text}: {held}");
        }
    }

    /// CFG-11: flags choose their shares apart from each other.
    #[test]
    fn shares_of_two_flags_are_independent() {
        let half = Share::parse("50%").unwrap();
        let both = |n: &u32| {
            let subject = n.to_string();
            half.holds("one", &subject) && half.holds("other", &subject)
        };
        let held = (0..100_000).filter(both).count();
        assert!((24_300..=25_700).contains(&held), "{held}");
    }

    #[test]
    fn shares_are_read() {
        for (text, expected) in
            [("25%", "25%"), ("0.0001%", "0.0001%"), ("100 %", "100%"), ("0%", "0%")]
        {
            assert_eq!(Share::parse(text).unwrap().to_string(), expected);
        }
        for text in ["", "%", "25", "-1%", "100.1%", "NaN%", "inf%", "a%", "0.00004%", "99.99999%"]
        {
            assert_eq!(Share::parse(text), None, "{text}");
        }
    }
}
