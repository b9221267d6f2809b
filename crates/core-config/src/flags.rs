//! Feature flags: settings that are on for some and off for others.

mod decision;
#[cfg(feature = "openfeature")]
mod openfeature;
mod share;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::decision::{Decision, Reason};
#[cfg(feature = "openfeature")]
pub use self::openfeature::FlagProvider;
use self::share::Share;
use self::written::Written;

/// A feature flag, as an operator writes it: `true`, `"25%"`, or a table of rules.
///
/// ```
/// # use core_config::{Flag, Reason};
/// let flag: Flag = serde_json::from_str(r#"{"share": "25%", "allow": ["alice"]}"#)?;
/// let decision = flag.decide("new_planner", "alice");
/// assert!(decision.is_on());
/// assert_eq!(decision.reason(), Reason::Allowed);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// A table may hold:
///
/// | key | means | default |
/// |---|---|---|
/// | `enabled` | `false` is off for all, whatever else is written | `true` |
/// | `share` | the part of all subjects for whom it is on, from `0%` to `100%` | `100%`; `0%` if there is an `allow` |
/// | `allow` | subjects for whom it is on, whatever the share | none |
/// | `from`, `until` | it is off before and from then on; RFC 3339 in UTC | always |
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct Flag {
    is_enabled: bool,
    share: Share,
    allow: BTreeSet<String>,
    from: Option<SystemTime>,
    until: Option<SystemTime>,
}

impl Flag {
    /// On or off for everybody: the default of a settings type.
    #[must_use]
    pub fn new(is_on: bool) -> Self {
        Self {
            is_enabled: is_on,
            share: Share::ALL,
            allow: BTreeSet::new(),
            from: None,
            until: None,
        }
    }

    /// Decides for a subject: a user, a tenant, a request; whatever keeps its name from one decision
    /// to the next. Never fails, never blocks.
    ///
    /// The flag's name keeps flags apart: a quarter of the subjects of one is not the same quarter
    /// as that of another.
    pub fn decide(&self, name: &str, subject: &str) -> Decision {
        self.decide_at(name, subject, SystemTime::now())
    }

    /// Decides as of a moment.
    pub fn decide_at(&self, name: &str, subject: &str, now: SystemTime) -> Decision {
        if !self.is_enabled {
            Decision::off(Reason::Disabled)
        } else if self.from.is_some_and(|from| now < from) {
            Decision::off(Reason::NotYet)
        } else if self.until.is_some_and(|until| now >= until) {
            Decision::off(Reason::Over)
        } else if self.allow.contains(subject) {
            Decision::on(Reason::Allowed)
        } else if self.share == Share::ALL {
            Decision::on(Reason::Static)
        } else if self.share.holds(name, subject) {
            Decision::on(Reason::Share)
        } else {
            Decision::off(Reason::Share)
        }
    }

    /// Whether a decision takes a subject to be made.
    #[cfg(feature = "openfeature")]
    fn needs_subject(&self) -> bool {
        self.is_enabled && (self.share != Share::ALL || !self.allow.is_empty())
    }
}

/// Off.
impl Default for Flag {
    fn default() -> Self {
        Self::new(false)
    }
}

/// Flags by their names, for those that the code knows by name only.
///
/// Where it knows them all, a struct whose fields are [`Flag`]s is better: a mistyped name is then a
/// mistake of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Flags(BTreeMap<String, Flag>);

impl Flags {
    /// Decides for a subject; a flag that is not there is off.
    pub fn decide(&self, name: &str, subject: &str) -> Decision {
        match self.0.get(name) {
            Some(flag) => flag.decide(name, subject),
            None => Decision::off(Reason::Unknown),
        }
    }

    /// A flag by its name.
    pub fn get(&self, name: &str) -> Option<&Flag> {
        self.0.get(name)
    }
}

impl FromIterator<(String, Flag)> for Flags {
    fn from_iter<I: IntoIterator<Item = (String, Flag)>>(flags: I) -> Self {
        Self(flags.into_iter().collect())
    }
}
