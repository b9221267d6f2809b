//! Names: how a dotted one becomes one for Prometheus, and which are allowed.

mod rules;
mod units;

pub(crate) use self::rules::{check, check_help};
pub(crate) use self::units::Scale;

use crate::Error;

/// What kind of metric a name belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    /// Every name that a metric of this kind takes: its own, those of its samples, and what
    /// `OpenMetrics` 1.0 keeps for it beside them.
    pub(crate) fn taken_names(self, name: &str) -> Vec<String> {
        let base = name.strip_suffix("_total").unwrap_or(name);
        let endings: &[&str] = match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Gauge => &[""],
            Self::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        };
        endings.iter().map(|ending| format!("{base}{ending}")).collect()
    }
}

/// A dotted name as Prometheus sees it.
#[derive(Debug, PartialEq)]
pub(crate) struct Exposed {
    pub(crate) name: String,
    /// From the unit of the dotted name to the base unit.
    pub(crate) scale: Scale,
}

/// Makes a name for Prometheus out of a dotted one.
///
/// 1. Words are parted by `.`, `_`, `-`, `/`, `:`, blanks and inner capitals, and joined by `_`.
/// 2. A last word `total` or `count` goes; of a gauge, `total` becomes `known`.
/// 3. The last word that is a unit becomes its base unit, at the end of the name. With a word `per`
///    units stay where they are.
/// 4. Counters get `_total`.
pub(crate) fn translate(kind: Kind, source: &str) -> Result<Exposed, Error> {
    let refused = |rule| Error::Name { name: source.to_owned(), rule };
    let mut words = words(source).ok_or_else(|| refused("letters, digits, and any of `._-/: `"))?;
    match words.last().map(String::as_str) {
        Some("total") if kind == Kind::Gauge => {
            words.pop();
            words.push("known".to_owned());
        }
        Some("total" | "count") => drop(words.pop()),
        _ => {}
    }
    let scale = move_unit(&mut words);
    if kind == Kind::Counter && !words.is_empty() {
        words.push("total".to_owned());
    }
    let name = words.join("_");
    match rules::broken(kind, &name) {
        Some(rule) => Err(refused(rule)),
        None => Ok(Exposed { name, scale }),
    }
}

fn words(source: &str) -> Option<Vec<String>> {
    let mut words = vec![String::new()];
    let mut previous = '.';
    for c in source.chars() {
        let separates = matches!(c, '.' | '_' | '-' | '/' | ':' | ' ');
        if separates || (c.is_ascii_uppercase() && !previous.is_ascii_uppercase()) {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut()?.push(c.to_ascii_lowercase());
        } else if !separates {
            return None;
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    Some(words)
}

fn move_unit(words: &mut Vec<String>) -> Scale {
    if words.iter().any(|word| word == "per") {
        return Scale::ONE;
    }
    let mut units = words.iter().enumerate().rev();
    let found = units.find_map(|(at, word)| units::base_of(word).map(|unit| (at, unit)));
    let Some((at, (base, scale))) = found else { return Scale::ONE };
    words.remove(at);
    words.push(base.to_owned());
    scale
}

#[cfg(test)]
mod tests;
