use crate::Error;

/// The most buckets a histogram may have: each is a series of its own for Prometheus.
const MAX_BUCKETS: usize = 100;

/// The upper bounds of a histogram's buckets, in the unit that is exposed.
///
/// The bucket without a bound, `+Inf`, comes by itself. Bounds are checked when the histogram is
/// registered.
#[derive(Clone, Debug, PartialEq)]
pub struct Buckets(Vec<f64>);

impl Buckets {
    /// Bounds of your own: 1 to 100 finite numbers, each greater than the one before.
    pub fn new(bounds: impl IntoIterator<Item = f64>) -> Self {
        Self(bounds.into_iter().collect())
    }

    /// So many bounds, each so many times the one before.
    #[must_use]
    pub fn exponential(first: f64, factor: f64, count: usize) -> Self {
        let next = |bound: &f64| Some(bound * factor);
        Self(std::iter::successors(Some(first), next).take(count.min(MAX_BUCKETS + 1)).collect())
    }

    /// For times in seconds: 1 ms to 10 s, in steps of 2 to 2.5. The default.
    #[must_use]
    pub fn seconds() -> Self {
        Self::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0])
    }

    /// For sizes in bytes: 256 B to 64 MiB, in steps of 4.
    #[must_use]
    pub fn bytes() -> Self {
        Self::exponential(256.0, 4.0, 10)
    }

    /// For shares of a whole: 0.1 to 1, in steps of 0.1.
    #[must_use]
    pub fn ratio() -> Self {
        Self::new((1..=10).map(|tenths| f64::from(tenths) / 10.0))
    }

    /// For amounts of anything: 1 to 1,000,000, three to a decade.
    #[must_use]
    pub fn amounts() -> Self {
        let decades = (0..6).map(|exponent| 10f64.powi(exponent));
        Self::new(decades.flat_map(|one| [one, one * 2.0, one * 5.0]).chain([1e6]))
    }

    /// Those for the unit that a name ends in.
    pub(crate) fn for_name(name: &str) -> Self {
        match name.rsplit('_').next() {
            Some("seconds") => Self::seconds(),
            Some("bytes") => Self::bytes(),
            Some("ratio") => Self::ratio(),
            _ => Self::amounts(),
        }
    }

    pub(crate) fn bounds(&self) -> &[f64] {
        &self.0
    }

    pub(crate) fn check(&self, name: &str) -> Result<(), Error> {
        let allowed = (1..=MAX_BUCKETS).contains(&self.0.len())
            && self.0.iter().all(|bound| bound.is_finite())
            && self.0.is_sorted_by(|a, b| a < b);
        let rule = "1 to 100 finite numbers, each greater than the one before";
        if allowed { Ok(()) } else { Err(Error::Buckets { name: name.to_owned(), rule }) }
    }
}

impl Default for Buckets {
    fn default() -> Self {
        Self::seconds()
    }
}
