use std::sync::Arc;
use std::time::Duration;

use core_types::{Status, Timestamp};
use serde_json::{Map, Value};

use crate::{Group, Kind, State};

/// Every check at one moment, with reasons: for metrics and for those who may see details.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The checks, ordered by name.
    pub checks: Vec<CheckSnapshot>,
    /// Time since [`Health::new`](crate::Health::new).
    pub uptime: Duration,
}

/// One check at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CheckSnapshot {
    /// Its name.
    pub name: Arc<str>,
    /// How it comes by its state.
    pub kind: Kind,
    /// Whether it counts in full: not so for a diagnostic check.
    pub gates: bool,
    /// Its state, damped.
    pub state: State,
    /// When it came into this state: for changes by time alone, when that was noticed.
    pub since: Timestamp,
    /// How long its last run took. Only a check that is run has one.
    pub latency: Option<Duration>,
    /// Time since its last result or word; none before the first.
    pub age: Option<Duration>,
    /// Why it is in this state, or why its last result was bad. Not for everybody.
    pub reason: Option<Arc<str>>,
    /// Its figures. Public.
    pub data: Arc<Map<String, Value>>,
    /// What everybody may know of it, as it stands in the answer.
    pub(crate) member: Arc<str>,
}

impl Snapshot {
    /// The status of a group: that of the worst of its checks, healthy if it has none.
    ///
    /// In [`Group::Everything`] a diagnostic check counts at most as degraded.
    pub fn status(&self, group: Group) -> Status {
        self.checks
            .iter()
            .filter(|check| check.is_in(group))
            .map(CheckSnapshot::weight)
            .max()
            .unwrap_or_default()
    }
}

impl CheckSnapshot {
    /// Whether it belongs to a group.
    pub fn is_in(&self, group: Group) -> bool {
        group.has(self.kind, self.gates)
    }

    /// What it counts in a group.
    pub(crate) fn weight(&self) -> Status {
        self.state.weight(self.gates)
    }
}
