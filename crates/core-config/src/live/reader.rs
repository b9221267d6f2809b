use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, Cache, Guard};

use super::{Generation, Shared};

/// Reads live settings on a hot path: one per task or thread.
pub struct Reader<T>(Cache<Current<T>, Arc<Generation<T>>>);

/// What the cache looks at: the current generation inside the shared state.
struct Current<T>(Arc<Shared<T>>);

impl<T> Deref for Current<T> {
    type Target = ArcSwap<Generation<T>>;

    fn deref(&self) -> &ArcSwap<Generation<T>> {
        &self.0.current
    }
}

impl<T> Reader<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        Self(Cache::new(Current(shared)))
    }

    /// The current generation. Never blocks.
    pub fn get(&mut self) -> &Generation<T> {
        self.0.load()
    }
}

impl<T> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

/// The current generation, borrowed for one look: see [`Live::peek`](super::Live::peek).
pub struct Peek<T>(Guard<Arc<Generation<T>>>);

impl<T> Peek<T> {
    pub(super) fn new(guard: Guard<Arc<Generation<T>>>) -> Self {
        Self(guard)
    }
}

impl<T> Deref for Peek<T> {
    type Target = Generation<T>;

    fn deref(&self) -> &Generation<T> {
        &self.0
    }
}

impl<T> fmt::Debug for Peek<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peek").finish_non_exhaustive()
    }
}
