use std::error;
use std::sync::Arc;

use core_types::{Chain, Status};
use serde_json::{Map, Value};

/// What one run of a check found.
///
/// A `Result<(), E>` turns into one: `Ok` is healthy, `Err` is unhealthy with the whole chain of
/// causes as its reason.
///
/// ```
/// use core_health::Report;
///
/// let report = Report::degraded("two agents are missing").with_data("agent_count", 4);
/// let failed: Report = Err::<(), _>("no route to host").into();
/// # let _ = (report, failed);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Report {
    pub(crate) status: Status,
    pub(crate) reason: Option<Arc<str>>,
    pub(crate) data: Map<String, Value>,
}

impl Report {
    /// All is well.
    pub fn healthy() -> Self {
        Self { status: Status::Healthy, reason: None, data: Map::new() }
    }

    /// It works, but somebody should look.
    ///
    /// The reason goes to the observer, and to callers who may see details.
    pub fn degraded(reason: impl Into<String>) -> Self {
        Self { status: Status::Degraded, ..Self::failed(reason) }
    }

    /// It does not work.
    ///
    /// The reason goes to the observer, and to callers who may see details.
    pub fn unhealthy(reason: impl Into<String>) -> Self {
        Self::failed(reason)
    }

    fn failed(reason: impl Into<String>) -> Self {
        let reason = Some(reason.into().into());
        Self { status: Status::Unhealthy, reason, data: Map::new() }
    }

    /// Adds a figure to the answer. **Every caller sees it**: nothing that is not public belongs here.
    pub fn with_data(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(key.into(), value.into());
        self
    }
}

impl<E: Into<Box<dyn error::Error + Send + Sync>>> From<Result<(), E>> for Report {
    fn from(result: Result<(), E>) -> Self {
        let Err(error) = result else { return Self::healthy() };
        let error: Box<dyn error::Error + Send + Sync> = error.into();
        Self::unhealthy(Chain(&*error).to_string())
    }
}
