use std::fmt;
use std::str::FromStr;

use crate::Error;

/// Each unit and its size: the binary ones count by 1024, the decimal ones by 1000.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// An amount of memory or disk as people write it: `512KiB`, `10MiB`, `50MB`, or a number of bytes.
///
/// Units are read in any case; `K`, `M`, `G` and `T` alone mean the binary units, as in the JVM,
/// nginx and Kubernetes' `Ki`.
///
/// ```
/// # use core_types::ByteSize;
/// assert_eq!("10MiB".parse::<ByteSize>()?.bytes(), 10 << 20);
/// assert_eq!("1.5 KB".parse::<ByteSize>()?.bytes(), 1500);
/// assert_eq!(ByteSize::from_bytes(50_000_000).to_string(), "50MB");
/// # Ok::<(), core_types::Error>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many units of 1024 × 1024 bytes. Stops at `u64::MAX` bytes.
    pub const fn from_mebibytes(mebibytes: u64) -> Self {
        Self(mebibytes.saturating_mul(1 << 20))
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for ByteSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..split], text[split..].trim_start());
        let factor = unit_size(unit).ok_or(Error::ByteSize)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = whole.parse::<u64>().map_err(|_| Error::ByteSize)?;
        let whole = whole.checked_mul(factor).ok_or(Error::ByteSize)?;
        whole.checked_add(part_of(fraction, factor)?).map(Self).ok_or(Error::ByteSize)
    }
}

fn unit_size(unit: &str) -> Option<u64> {
    let unit = match unit {
        "" => "B",
        "k" | "K" | "Ki" => "KiB",
        "m" | "M" | "Mi" => "MiB",
        "g" | "G" | "Gi" => "GiB",
        "t" | "T" | "Ti" => "TiB",
        unit => unit,
    };
    UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, size)| *size)
}

/// The bytes behind the decimal point, rounded down. Integers only: a float would lose bytes.
fn part_of(fraction: &str, factor: u64) -> Result<u64, Error> {
    if fraction.is_empty() {
        return Ok(0);
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::ByteSize);
    }
    // Nine digits of a unit are enough for a byte of a gigabyte.
    let digits = &fraction[..fraction.len().min(9)];
    let value = digits.parse::<u128>().map_err(|_| Error::ByteSize)?;
    let scale = 10u128.pow(u32::try_from(digits.len()).expect("at most nine"));
    Ok(u64::try_from(value * u128::from(factor) / scale).expect("less than the unit"))
}

impl fmt::Display for ByteSize {
    /// The largest unit that divides the size without a rest, so that nothing is rounded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, size) = UNITS
            .into_iter()
            .find(|(_, size)| self.0 != 0 && self.0.is_multiple_of(*size))
            .unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl fmt::Debug for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for ByteSize {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for ByteSize {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = ByteSize;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as `10MiB`, or a number of bytes")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ByteSize, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, bytes: u64) -> Result<ByteSize, E> {
                Ok(ByteSize(bytes))
            }

            fn visit_i64<E: serde::de::Error>(self, bytes: i64) -> Result<ByteSize, E> {
                u64::try_from(bytes).map(ByteSize).map_err(|_| E::custom(Error::ByteSize))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "integer"],
            "format": "byte-size",
            "minimum": 0,
            "examples": ["10MiB", "50MB", 1_048_576]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(bytes: u64) {
            let size = ByteSize(bytes);
            prop_assert_eq!(size.to_string().parse::<ByteSize>().unwrap(), size);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<ByteSize>();
        }
    }

    #[test]
    fn units_are_read_as_people_write_them() {
        let bytes = |text: &str| text.parse::<ByteSize>().map(ByteSize::bytes);
        assert_eq!(bytes("10"), Ok(10));
        assert_eq!(bytes("10 mib"), Ok(10 << 20));
        assert_eq!(bytes("2K"), Ok(2048));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        for bad in [
            "",
            "MiB",
            "-1",
            "1..5",
            "1.5.2MB",
            "1.123456789.5MB",
            "10 bytes",
            "17179869184GiB",
            "1e3",
        ] {
            assert_eq!(bytes(bad), Err(Error::ByteSize), "{bad:?}");
        }
    }
}
