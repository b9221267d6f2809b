use std::fmt;
use std::time::{Duration, Instant};

use tracing::Span;
use tracing::span::Entered;

/// A piece of work that has a name, takes time and ends well or not: a span, and one line at its
/// end with `operation`, `duration_ms` and `outcome`.
///
/// Made by [`operation!`](crate::operation). One that is dropped without having been completed has
/// been abandoned, by `?` or by a panic, and its line is a warning.
///
/// ```
/// let operation = core_log::operation!("crdt_merge", set_size = 10);
/// operation.record_event("merge started");
/// let merged = operation.run(|| 1 + 1);
/// operation.complete();
/// # assert_eq!(merged, 2);
/// ```
///
/// What is async goes into its span: `work().instrument(operation.span().clone())`.
#[derive(Debug)]
#[must_use = "an operation that is dropped at once has been abandoned"]
pub struct Operation {
    span: Span,
    started: Instant,
    tell: fn(&Told<'_>),
    is_over: bool,
}

/// What an operation has to say.
#[doc(hidden)]
#[derive(Debug)]
pub enum Told<'a> {
    Event(fmt::Arguments<'a>, f64),
    Completed(f64),
    Failed(fmt::Arguments<'a>, f64),
    Abandoned(f64),
}

impl Operation {
    /// For [`operation!`](crate::operation), which knows the place in the code.
    #[doc(hidden)]
    pub fn new(span: Span, tell: fn(&Told<'_>)) -> Self {
        Self { span, started: Instant::now(), tell, is_over: false }
    }

    /// The span of the work; a call to another service from inside belongs below it.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// Puts this thread inside of the operation until the guard is dropped. Not for code that
    /// awaits.
    pub fn enter(&self) -> Entered<'_> {
        self.span.enter()
    }

    /// Calls a closure inside of the operation.
    pub fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        self.span.in_scope(work)
    }

    /// Since its beginning.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Tells of a step on the way, in a line at the level debug.
    pub fn record_event(&self, event: impl fmt::Display) {
        self.tell(&Told::Event(format_args!("{event}"), self.milliseconds()));
    }

    /// Ends it well: one line at the level info.
    pub fn complete(mut self) {
        self.end(&Told::Completed(self.milliseconds()));
    }

    /// Ends it badly: one line at the level error, with the reason.
    pub fn fail(mut self, error: impl fmt::Display) {
        self.end(&Told::Failed(format_args!("{error}"), self.milliseconds()));
    }

    fn milliseconds(&self) -> f64 {
        // Whole microseconds: more digits are noise.
        self.elapsed().as_micros() as f64 / 1000.0
    }

    fn tell(&self, told: &Told<'_>) {
        self.span.in_scope(|| (self.tell)(told));
    }

    fn end(&mut self, told: &Told<'_>) {
        self.is_over = true;
        self.tell(told);
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.is_over {
            self.tell(&Told::Abandoned(self.milliseconds()));
        }
    }
}

/// Begins an [`Operation`]: a name, as a literal, and fields that all its lines carry.
///
/// Whoever calls it depends on `tracing` as well.
#[macro_export]
macro_rules! operation {
    ($name:literal $(, $($fields:tt)*)?) => {
        $crate::Operation::new(
            ::tracing::info_span!($name, operation = $name, $($($fields)*)?),
            |told| match told {
                $crate::Told::Event(event, duration_ms) => {
                    ::tracing::debug!(duration_ms, "{event}");
                }
                $crate::Told::Completed(duration_ms) => {
                    ::tracing::info!(duration_ms, outcome = "completed", "operation completed");
                }
                $crate::Told::Failed(error, duration_ms) => {
                    ::tracing::error!(duration_ms, outcome = "failed", %error, "operation failed");
                }
                $crate::Told::Abandoned(duration_ms) => {
                    ::tracing::warn!(duration_ms, outcome = "abandoned", "operation abandoned");
                }
            },
        )
    };
}
