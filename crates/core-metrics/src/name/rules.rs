//! The rules of the text format, of `promtool check metrics` and of `OpenMetrics`, so that what is
//! registered is never complained about later.

use super::Kind;
use crate::Error;

/// The longest name, in bytes. A longer one is data, not a name.
const MAX_LENGTH: usize = 200;

/// Endings that belong to the samples of counters and histograms.
const SAMPLE_ENDINGS: [&str; 4] = ["_total", "_bucket", "_sum", "_count"];

/// Words for types, as promtool looks for them behind an underscore.
const TYPES: [&str; 4] = ["counter", "gauge", "histogram", "summary"];

/// Abbreviated units, as promtool looks for them behind an underscore.
const ABBREVIATIONS: [&str; 14] =
    ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"];

/// Units that promtool knows, base units first.
const BASE_UNITS: [&str; 10] = [
    "amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "seconds",
    "volts",
];
const OTHER_UNITS: [&str; 14] = [
    "minutes",
    "hours",
    "days",
    "weeks",
    "kelvins",
    "fahrenheit",
    "rankine",
    "inches",
    "yards",
    "miles",
    "bits",
    "calories",
    "pounds",
    "ounces",
];

/// What promtool takes for a multiple in front of a unit.
const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega",
    "mibi", "giga", "gibi", "tera", "tebi", "peta", "pebi",
];

/// # Errors
/// [`Error::Name`] if the name is not allowed for a metric of that kind.
pub(crate) fn check(kind: Kind, name: &str) -> Result<(), Error> {
    match broken(kind, name) {
        Some(rule) => Err(Error::Name { name: name.to_owned(), rule }),
        None => Ok(()),
    }
}

/// # Errors
/// [`Error::Help`] if the text says nothing.
pub(crate) fn check_help(name: &str, help: &str) -> Result<(), Error> {
    if help.trim().is_empty() { Err(Error::Help { name: name.to_owned() }) } else { Ok(()) }
}

/// The rule that a name breaks.
pub(super) fn broken(kind: Kind, name: &str) -> Option<&'static str> {
    let is_name_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase())
        || !name.bytes().all(is_name_byte)
        || name.len() > MAX_LENGTH
    {
        return Some("lower-case letters, digits and `_`, a letter first, at most 200 bytes");
    }
    let base = name.strip_suffix("_total");
    match (kind, base) {
        (Kind::Counter, None) => return Some("the name of a counter ends in `_total`"),
        (Kind::Gauge | Kind::Histogram, Some(_)) => {
            return Some("only the name of a counter ends in `_total`");
        }
        _ => {}
    }
    let base = base.unwrap_or(name);
    if SAMPLE_ENDINGS.iter().any(|ending| base.ends_with(ending)) {
        return Some("`_total`, `_bucket`, `_sum` and `_count` are endings of samples");
    }
    if base.split('_').any(is_other_unit) {
        return Some("units are base units, such as `seconds`, `bytes` and `ratio`");
    }
    if base.split('_').skip(1).any(|word| ABBREVIATIONS.contains(&word)) {
        return Some("`b`, `d`, `h`, `m`, `s`, `ms` and the like read as units; write them out");
    }
    if base.split('_').skip(1).any(|word| TYPES.contains(&word)) {
        return Some("the type of a metric is not part of its name");
    }
    None
}

fn is_other_unit(word: &str) -> bool {
    let is_unit = |word: &str| BASE_UNITS.contains(&word) || OTHER_UNITS.contains(&word);
    OTHER_UNITS.contains(&word)
        || PREFIXES.iter().any(|prefix| word.strip_prefix(prefix).is_some_and(is_unit))
}
