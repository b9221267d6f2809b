use std::process::{ExitCode, Termination};

use core_shutdown::{Outcome, Reason, Report};

use crate::Error;

/// How a service ended: what `main` returns.
///
/// | code | means |
/// |---|---|
/// | 0 | a clean stop, or one in which a step failed |
/// | 1 | failed while starting or running |
/// | 2 | usage or configuration refused |
/// | 124 | the deadline, or the limit of a step, passed before all had stopped |
/// | 128 + n | forced by a second signal n (the process ends before `main` returns) |
#[derive(Debug)]
#[must_use = "return it from main"]
pub struct Exit(End);

#[derive(Debug)]
enum End {
    Answered,
    Usage,
    Failed(Error),
    Stopped(Report),
}

/// Usage or configuration refused.
pub(crate) const REFUSED: u8 = 2;
/// The deadline passed: what `timeout(1)` says, too.
pub(crate) const CUT_SHORT: u8 = 124;
const FAILED: u8 = 1;

impl Exit {
    pub(crate) fn answered() -> Self {
        Self(End::Answered)
    }

    pub(crate) fn usage() -> Self {
        Self(End::Usage)
    }

    pub(crate) fn failed(error: Error) -> Self {
        Self(End::Failed(error))
    }

    pub(crate) fn stopped(report: Report) -> Self {
        Self(End::Stopped(report))
    }

    /// The process' exit code.
    pub fn code(&self) -> u8 {
        match &self.0 {
            End::Answered => 0,
            End::Usage | End::Failed(Error::Config(_)) => REFUSED,
            End::Failed(_) => FAILED,
            End::Stopped(report) => code_of(report),
        }
    }

    /// Why the service did not start, if it did not.
    pub fn error(&self) -> Option<&Error> {
        match &self.0 {
            End::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// What the stop did, if there was one.
    pub fn report(&self) -> Option<&Report> {
        match &self.0 {
            End::Stopped(report) => Some(report),
            _ => None,
        }
    }
}

pub(crate) fn code_of(report: &Report) -> u8 {
    match (&report.reason, report.outcome()) {
        (Reason::Failed { .. }, _) => FAILED,
        (_, Outcome::CutShort) => CUT_SHORT,
        _ => 0,
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        self.code().into()
    }
}
