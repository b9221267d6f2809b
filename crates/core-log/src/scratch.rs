use std::cell::Cell;

use crate::fields::Fields;

/// A thread's buffer that has grown past this is given back.
const MAX_KEPT: usize = 256 << 10;

/// What it takes to put a line together, used again for the next one.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) fields: Fields<'static>,
    pub(crate) message: String,
    pub(crate) line: String,
    /// For a second form of the line.
    pub(crate) spare: String,
}

/// Lends this thread's buffers. A value that logs while it is printed, and a thread that is being
/// torn down, get others.
pub(crate) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    thread_local! {
        static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
    }
    let mut scratch = SCRATCH.try_with(Cell::take).ok().flatten().unwrap_or_default();
    scratch.fields.clear();
    scratch.message.clear();
    scratch.line.clear();
    let result = work(&mut scratch);
    if scratch.line.capacity() <= MAX_KEPT {
        let _ = SCRATCH.try_with(|place| place.set(Some(scratch)));
    }
    result
}
