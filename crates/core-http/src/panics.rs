use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A panic, as the cause of a failure.
#[derive(Debug, thiserror::Error)]
#[error("panicked: {message}")]
pub(crate) struct Panicked {
    message: String,
}

/// Calls foreign code, and turns its panic into an error.
///
/// What the code has touched may be half-done: it is dropped, and never called again.
pub(crate) fn catch<R>(work: impl FnOnce() -> R) -> Result<R, Panicked> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|payload| Panicked { message: message(&*payload).to_owned() })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("with a value that is no text")
}
