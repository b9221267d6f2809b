use std::fmt;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;

use crate::Error;

/// The least severity that is written.
///
/// Read in any case, and with the names that other languages use: `WARNING`, `CRITICAL`, `FATAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(LevelFilter);

impl Level {
    /// Nothing is written.
    pub const OFF: Self = Self(LevelFilter::OFF);
    /// Somebody should act.
    pub const ERROR: Self = Self(LevelFilter::ERROR);
    /// Somebody should look.
    pub const WARN: Self = Self(LevelFilter::WARN);
    /// What the service does.
    pub const INFO: Self = Self(LevelFilter::INFO);
    /// How it does it.
    pub const DEBUG: Self = Self(LevelFilter::DEBUG);
    /// Every step.
    pub const TRACE: Self = Self(LevelFilter::TRACE);

    pub(crate) fn filter(self) -> LevelFilter {
        self.0
    }

    /// The level in capitals.
    pub fn as_str(self) -> &'static str {
        match self.0.into_level() {
            Some(level) => level.as_str(),
            None => "OFF",
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        Self(level.into())
    }
}

impl FromStr for Level {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(match text.trim().to_ascii_lowercase().as_str() {
            "off" | "none" => Self::OFF,
            "critical" | "fatal" | "error" => Self::ERROR,
            "warning" | "warn" => Self::WARN,
            "info" => Self::INFO,
            "debug" => Self::DEBUG,
            "trace" => Self::TRACE,
            _ => return Err(Error::Level),
        })
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The level for all, and other levels for targets: `info,hyper=warn,mira::agents=debug`.
///
/// A target takes those of the modules below it along; of several that fit, the longest counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Levels {
    default: Level,
    /// The longest first.
    targets: Vec<(String, Level)>,
}

impl Levels {
    /// One level for all.
    #[must_use]
    pub fn all(level: Level) -> Self {
        Self { default: level, targets: Vec::new() }
    }

    /// Another level for a target.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<String>, level: Level) -> Self {
        let target = target.into();
        self.targets.retain(|(known, _)| *known != target);
        self.targets.push((target, level));
        self.targets.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        self
    }

    /// The level for all.
    pub fn default_level(&self) -> Level {
        self.default
    }

    /// The levels for targets, the most exact first.
    pub fn targets(&self) -> impl Iterator<Item = (&str, Level)> {
        self.targets.iter().map(|(target, level)| (target.as_str(), *level))
    }

    /// The level that counts for a target.
    pub fn level_of(&self, target: &str) -> Level {
        let is_within = |above: &str| {
            target.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        self.targets().find(|(above, _)| is_within(above)).map_or(self.default, |(_, level)| level)
    }

    pub(crate) fn allow(&self, target: &str, level: tracing::Level) -> bool {
        level <= self.level_of(target).filter()
    }

    /// The most that any target writes.
    pub(crate) fn most(&self) -> LevelFilter {
        let levels = self.targets.iter().map(|(_, level)| level.filter());
        levels.fold(self.default.filter(), Ord::max)
    }
}

impl Default for Levels {
    fn default() -> Self {
        Self::all(Level::INFO)
    }
}

impl FromStr for Levels {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut levels = Self::default();
        for part in text.split(',') {
            match part.split_once('=') {
                Some((target, level)) if is_target(target.trim()) => {
                    levels = levels.with_target(target.trim(), level.parse()?);
                }
                Some(_) => return Err(Error::Level),
                None => levels.default = part.parse()?,
            }
        }
        Ok(levels)
    }
}

/// A target is a path of modules, or another name of that kind.
fn is_target(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:-./".contains(&b))
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.default.as_str().to_lowercase())?;
        self.targets().try_for_each(|(target, level)| {
            write!(f, ",{target}={}", level.as_str().to_lowercase())
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Levels {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Levels {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Levels {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Levels".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "x-expected": "a level such as `info`, or levels by target such as `info,hyper=warn`",
            "examples": ["info", "WARNING", "info,hyper=warn"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_are_read_as_people_write_them() {
        let level = |text: &str| text.parse::<Level>().ok();
        assert_eq!(level("INFO"), Some(Level::INFO));
        assert_eq!(level("Warning"), Some(Level::WARN));
        assert_eq!(level("CRITICAL"), Some(Level::ERROR));
        assert_eq!(level("off"), Some(Level::OFF));
        assert_eq!(level("verbose"), None);
        for bad in ["", "info,", "=info", "info,hyper", "hyper=", "a=b=c", "info;hyper=warn"] {
            // Two levels for all are one too many only if the second is none.
            assert!(bad.parse::<Levels>().is_err(), "{bad:?}");
        }
    }

    /// LOG-4: levels per target, the most exact counts, at module boundaries only.
    #[test]
    fn the_most_exact_target_counts() {
        let levels: Levels = "warn,app=info,app::db=debug,app::db::pool=off".parse().unwrap();
        assert_eq!(levels.level_of("other"), Level::WARN);
        assert_eq!(levels.level_of("app"), Level::INFO);
        assert_eq!(levels.level_of("apple"), Level::WARN);
        assert_eq!(levels.level_of("app::db"), Level::DEBUG);
        assert_eq!(levels.level_of("app::dbx"), Level::INFO);
        assert_eq!(levels.level_of("app::db::pool::x"), Level::OFF);
        assert_eq!(levels.most(), LevelFilter::DEBUG);
    }

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(
            default in 0usize..6,
            targets in proptest::collection::vec(("[a-z]{1,4}(::[a-z]{1,4}){0,2}", 0usize..6), 0..4),
        ) {
            const LEVELS: [Level; 6] =
                [Level::OFF, Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            let levels = targets.into_iter().fold(Levels::all(LEVELS[default]), |levels, (t, l)| {
                levels.with_target(t, LEVELS[l])
            });
            prop_assert_eq!(levels.to_string().parse::<Levels>().unwrap(), levels);
        }
    }
}
