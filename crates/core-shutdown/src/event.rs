use std::time::Duration;

use crate::{Phase, Reason, StepReport};

/// What happens during a stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// It has begun.
    Began {
        /// Why.
        reason: &'a Reason,
    },
    /// A phase has begun.
    Entered {
        /// Which.
        phase: Phase,
    },
    /// Something takes longer than a second; told every second while it does.
    Waiting {
        /// What has not ended yet.
        name: &'a str,
        /// How many requests are in flight.
        in_flight: usize,
        /// How long the process has until its deadline.
        left: Duration,
    },
    /// A step has ended, one way or another.
    Ended {
        /// Which, and how.
        step: &'a StepReport,
    },
}
