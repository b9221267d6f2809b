use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use core_types::Status;
use tokio::time::Instant;

use crate::Group;

/// A group as everybody may know it.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) status: Status,
    /// Its checks, as members of an answer.
    pub(crate) members: Vec<u8>,
    /// Until when this holds if nobody tells anything: then something is too old.
    pub(crate) until: Option<Instant>,
}

/// What was answered last for each group, for as long as it is true: until anything is told, many
/// probes at once cost the same for one check and for a hundred.
pub(crate) struct Summaries {
    /// Counts what was told.
    generation: AtomicU64,
    kept: [RwLock<(u64, Summary)>; GROUPS],
}

/// [`Group::Startup`] is the last.
const GROUPS: usize = Group::Startup as usize + 1;

impl Default for Summaries {
    fn default() -> Self {
        // Nothing is kept of the first generation.
        Self { generation: AtomicU64::new(1), kept: Default::default() }
    }
}

impl Summaries {
    /// To be called when something has changed, before anybody is told so.
    pub(crate) fn outdate(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// The generation that is true now. To be read before what it is true of.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Reads what is kept of a group, or makes it anew.
    pub(crate) fn read<R>(
        &self,
        group: Group,
        generation: u64,
        now: Instant,
        make: impl FnOnce() -> Summary,
        read: impl FnOnce(&Summary) -> R,
    ) -> R {
        let kept = &self.kept[group as usize];
        {
            let kept = kept.read().unwrap_or_else(PoisonError::into_inner);
            let (of, summary) = &*kept;
            if *of == generation && summary.until.is_none_or(|until| now <= until) {
                return read(summary);
            }
        }
        let made = make();
        let answer = read(&made);
        *kept.write().unwrap_or_else(PoisonError::into_inner) = (generation, made);
        answer
    }
}
