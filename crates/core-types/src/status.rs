use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How a component, or the whole service, is doing. Ordered: the greatest is the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Status {
    /// All is well.
    #[default]
    Healthy,
    /// It works, but somebody should look. Traffic goes on.
    Degraded,
    /// It does not work. Traffic should go elsewhere.
    Unhealthy,
}

impl Status {
    /// The status in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        [Self::Healthy, Self::Degraded, Self::Unhealthy]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(Error::Status)
    }
}
