use std::collections::VecDeque;
use std::sync::Arc;

use core_types::Timestamp;

use crate::{Event, State};

/// Some pages of a console; at a few hundred bytes each no more than 50 KiB.
const KEPT: usize = 100;

/// One change of a check's state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// When: for changes by time alone, when that was noticed.
    pub at: Timestamp,
    /// The name of the check.
    pub check: Arc<str>,
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// Why, unless all is well. Not for everybody.
    pub reason: Option<Arc<str>>,
}

/// The latest changes, the oldest first.
#[derive(Default)]
pub(crate) struct History(VecDeque<Transition>);

impl History {
    pub(crate) fn keep(&mut self, event: &Event) {
        let Event::Transition { check, from, to, reason, .. } = event else { return };
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        let (check, reason) = (Arc::clone(check), reason.clone());
        self.0.push_back(Transition { at: Timestamp::now(), check, from: *from, to: *to, reason });
    }

    pub(crate) fn to_vec(&self) -> Vec<Transition> {
        self.0.iter().cloned().collect()
    }
}
