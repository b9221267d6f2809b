use core_app::config::schemars::{self, JsonSchema};
use core_app::config::{Problems, Validate};
use serde::{Deserialize, Serialize};

use crate::{Integrations, broker};

/// Mira's own settings, beside those of the host and in the same files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Settings {
    /// How messages are passed to the agents.
    #[schemars(extend("x-restart" = true))]
    pub broker: broker::Settings,
    /// What Mira is connected to.
    pub integrations: Integrations,
}

impl Validate for Settings {
    fn validate(&self, problems: &mut Problems) {
        for (key, expected) in self.broker.mistakes() {
            problems.refuse(&format!("broker.{key}"), format!("expected {expected}"));
        }
    }
}
