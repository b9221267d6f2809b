use std::any::Any;

use core_types::Scope;
use http::{StatusCode, Version};

use crate::{Context, Event, Failure, Outcome};

/// What is owed when a request has ended, however it ends: a report, its place among those in
/// flight, and the host's guard.
pub(crate) struct Finish {
    pub(crate) context: Context,
    /// Whether it holds a place among the requests in flight.
    pub(crate) admitted: bool,
    pub(crate) status: Option<StatusCode>,
    pub(crate) response_bytes: u64,
    /// How the request has ended if its answer is whole.
    pub(crate) outcome: Outcome,
    /// Whether the whole answer was handed to the server.
    pub(crate) whole: bool,
    failure: Option<Failure>,
    failure_is_reported: bool,
    // Dropped last, after the report: the host may take its end for the end of all work.
    _guard: Option<Box<dyn Any + Send>>,
}

impl Finish {
    /// Begins the books. To be called inside the request's scope.
    pub(crate) fn new(context: Context, version: Version) -> Self {
        let guard = context.stack().guard();
        context.stack().report(&Event::Started {
            method: context.method(),
            path: context.path(),
            version,
            client: context.client_address(),
        });
        Self {
            context,
            admitted: false,
            status: None,
            response_bytes: 0,
            outcome: Outcome::Completed,
            whole: false,
            failure: None,
            failure_is_reported: false,
            _guard: guard,
        }
    }

    pub(crate) fn scope(&self) -> Scope {
        self.context.scope().clone()
    }

    /// Takes note of a failure, and reports it if somebody may have to look into it.
    pub(crate) fn fail(&mut self, failure: Failure) {
        let deserves_a_look = failure.status().is_server_error() || !failure.causes().is_empty();
        if deserves_a_look && self.outcome != Outcome::Shed && !self.failure_is_reported {
            self.failure_is_reported = true;
            let context = &self.context;
            context.stack().report(&Event::Failed {
                method: context.method(),
                path: context.path(),
                route: context.route(),
                failure: &failure,
            });
        }
        self.failure = Some(failure);
    }

    /// Ends the request with a body that broke.
    pub(crate) fn cut(mut self, outcome: Outcome, failure: Failure) {
        self.outcome = outcome;
        self.whole = true;
        self.fail(failure);
    }
}

impl Drop for Finish {
    fn drop(&mut self) {
        let context = &self.context;
        let _entered = self.scope().enter();
        context.stack().report(&Event::Finished {
            method: context.method(),
            path: context.path(),
            route: context.route(),
            status: self.status,
            duration: context.started().elapsed(),
            request_bytes: context.request_bytes(),
            response_bytes: self.response_bytes,
            outcome: if self.whole { self.outcome } else { Outcome::ClientGone },
            failure: self.failure.as_ref(),
            client: context.client_address(),
        });
        if self.admitted {
            context.stack().release();
        }
    }
}
