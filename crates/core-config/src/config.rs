use core_types::Duration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How configuration itself is kept up to date: the section `config`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Config {
    /// Whether edits of the files are seen and applied by themselves. Default: off, so that a
    /// service changes only when it is asked to; SIGHUP and the ops call reload in any case.
    pub hot_reload: bool,
    /// How often the files are looked at where the file system tells nothing, and as a safety net
    /// where it does. From 100ms. Default: 5s, which is no load and still soon.
    pub poll_interval: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { hot_reload: false, poll_interval: Duration::from_secs(5) }
    }
}
