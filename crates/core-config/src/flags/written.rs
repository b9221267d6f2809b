use std::collections::BTreeSet;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Flag;
use super::share::Share;

/// A flag as it stands in a file.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(extend("x-expected" = "true, false, a share such as \"25%\", or a table of rules"))]
pub(super) enum Written {
    /// On or off for everybody.
    Switch(bool),
    /// On for a part of all subjects.
    Share(String),
    /// Several rules.
    Rules(Rules),
}

/// The rules of a flag.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Rules {
    /// `false` is off for all. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// The part of all subjects, such as `25%`. Default: all, or none if some are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<String>,
    /// Subjects for whom it is on, whatever the share.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow: Option<BTreeSet<String>>,
    /// Off before: RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Off from then on: RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl TryFrom<Written> for Flag {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let share = |text: &str| {
            Share::parse(text).ok_or_else(|| "expected a share such as `25%`".to_owned())
        };
        match written {
            Written::Switch(is_on) => Ok(Self::new(is_on)),
            // A variable is a text, whatever it means.
            Written::Share(text) => match text.trim().to_ascii_lowercase().parse() {
                Ok(is_on) => Ok(Self::new(is_on)),
                Err(_) => Ok(Self { share: share(&text)?, ..Self::new(true) }),
            },
            Written::Rules(rules) => {
                // An empty list is still a list: whoever takes the last name off lets nobody in.
                let rest = if rules.allow.is_some() { Share::NONE } else { Share::ALL };
                let (from, until) = (moment(rules.from)?, moment(rules.until)?);
                if from.zip(until).is_some_and(|(from, until)| from >= until) {
                    return Err("`from` must be before `until`".into());
                }
                Ok(Self {
                    is_enabled: rules.enabled.unwrap_or(true),
                    share: rules.share.as_deref().map_or(Ok(rest), share)?,
                    allow: rules.allow.unwrap_or_default(),
                    from,
                    until,
                })
            }
        }
    }
}

fn moment(text: Option<String>) -> Result<Option<SystemTime>, String> {
    let read = |text: String| {
        humantime::parse_rfc3339(&text)
            .map_err(|_| "expected a moment such as `2026-12-01T08:00:00Z`".to_owned())
    };
    text.map(read).transpose()
}

impl From<Flag> for Written {
    fn from(flag: Flag) -> Self {
        let write = |time| humantime::format_rfc3339(time).to_string();
        let is_plain = flag.allow.is_empty() && flag.from.is_none() && flag.until.is_none();
        match (flag.is_enabled, flag.share) {
            (false, Share::ALL) if is_plain => Self::Switch(false),
            (true, Share::ALL) if is_plain => Self::Switch(true),
            (true, share) if is_plain => Self::Share(share.to_string()),
            (is_enabled, share) => Self::Rules(Rules {
                enabled: (!is_enabled).then_some(false),
                share: Some(share.to_string()),
                allow: (!flag.allow.is_empty()).then_some(flag.allow),
                from: flag.from.map(write),
                until: flag.until.map(write),
            }),
        }
    }
}
