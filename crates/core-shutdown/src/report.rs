use std::time::Duration;

use crate::{Phase, Priority, Reason};

/// What became of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StepOutcome {
    /// It ended.
    Done,
    /// It ended with an error, or panicked.
    Failed,
    /// It did not end in its time.
    TimedOut,
    /// There was no time left for it.
    Skipped,
}

impl StepOutcome {
    /// The outcome in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
        }
    }
}

/// One step of a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StepReport {
    /// Its name.
    pub name: String,
    /// The phase it belongs to.
    pub phase: Phase,
    /// Its priority, if it is a callback.
    pub priority: Option<Priority>,
    /// What became of it.
    pub outcome: StepOutcome,
    /// How long it took.
    pub duration: Duration,
    /// Why it failed, with causes.
    pub error: Option<String>,
}

/// What became of the whole stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything ended as it should.
    Clean,
    /// Everything ended, some of it with an error.
    Degraded,
    /// Something was cut off, for its time or the whole time was over.
    CutShort,
}

impl Outcome {
    /// The outcome in one lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Degraded => "degraded",
            Self::CutShort => "cut_short",
        }
    }
}

/// What a stop did, step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Why it began.
    pub reason: Reason,
    /// Every step that was registered, in the order in which they were taken.
    pub steps: Vec<StepReport>,
    /// How long all of it took.
    pub duration: Duration,
}

impl Report {
    /// What became of the whole.
    pub fn outcome(&self) -> Outcome {
        let any = |outcomes: &[StepOutcome]| {
            self.steps.iter().any(|step| outcomes.contains(&step.outcome))
        };
        if any(&[StepOutcome::TimedOut, StepOutcome::Skipped]) {
            Outcome::CutShort
        } else if any(&[StepOutcome::Failed]) {
            Outcome::Degraded
        } else {
            Outcome::Clean
        }
    }
}
