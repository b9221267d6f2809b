//! Labels: which names are allowed, and how long a value may be.

use crate::Error;

/// The value that every label of a metric's overflow series has.
pub(crate) const OVERFLOW: &str = "__overflow__";

/// The longest value, in bytes. What tells series apart stands at the front; the rest is data.
const MAX_VALUE: usize = 256;

/// # Errors
/// [`Error::Label`] if a name is not allowed, or stands twice.
pub(crate) fn check<'a>(
    metric: &str,
    mut labels: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), Error> {
    let mut rest = labels.clone();
    labels.try_for_each(|label| {
        rest.next();
        let rule = if !is_name(label) {
            "lower-case letters, digits and `_`, a letter first"
        } else if matches!(label, "le" | "quantile") {
            "`le` and `quantile` belong to histograms and summaries"
        } else if rest.clone().any(|other| other == label) {
            "each label has a name of its own"
        } else {
            return Ok(());
        };
        Err(Error::Label { metric: metric.to_owned(), label: label.to_owned(), rule })
    })
}

/// A letter first also keeps out `__*`, which Prometheus keeps for itself.
fn is_name(label: &str) -> bool {
    let is_name_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    label.starts_with(|c: char| c.is_ascii_lowercase()) && label.bytes().all(is_name_byte)
}

/// A value, cut at 256 bytes, between characters.
pub(crate) fn cut(value: &str) -> &str {
    &value[..value.floor_char_boundary(MAX_VALUE)]
}
