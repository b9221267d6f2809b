//! How many lines a second each place in the code writes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tracing::Metadata;

/// More places than these are not the code's: somebody makes them up. They are not limited.
const MAX_PLACES: usize = 10_000;

/// A line that took so many seconds from its clock to here counts to the second that has begun
/// meanwhile. A clock that is further behind was set back.
const STRAGGLERS: u64 = 2;

/// What one place in the code has written, on all threads.
#[derive(Debug)]
pub(crate) struct CallSite {
    logger: String,
    /// A second in the upper half, and how many lines it has seen in the lower.
    window: AtomicU64,
    suppressed: AtomicU64,
}

/// Lines of one place that were too many.
pub(crate) struct Suppressed {
    /// `src/app.rs:150`
    pub(crate) place: String,
    pub(crate) logger: String,
    pub(crate) lines: u64,
}

impl CallSite {
    fn new(logger: &str) -> Self {
        Self { logger: logger.into(), window: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// Counts a line; whether it is one of the first of its second.
    pub(crate) fn admits(&self, now: SystemTime, limit: u32) -> bool {
        let second = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let count = |window: u64| {
            let is_within = (second..=second + STRAGGLERS).contains(&(window >> 32));
            if is_within { window + 1 } else { second << 32 | 1 }
        };
        let mut before = self.window.load(Ordering::Relaxed);
        loop {
            let after = count(before);
            if after & u64::from(u32::MAX) > u64::from(limit) {
                return false;
            }
            let swapped = self.window.compare_exchange_weak(
                before,
                after,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match swapped {
                Ok(_) => return true,
                Err(other) => before = other,
            }
        }
    }
}

/// All places that have written.
#[derive(Default)]
pub(crate) struct CallSites {
    known: Mutex<BTreeMap<String, Arc<CallSite>>>,
    /// Whether there is something to tell.
    has_news: AtomicBool,
}

impl CallSites {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<CallSite>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of an event, if it says where it stands.
    pub(crate) fn of(&self, event: &Metadata<'_>) -> Option<Arc<CallSite>> {
        let place = format!("{}:{}", event.file()?, event.line()?);
        let mut known = self.lock();
        if known.len() >= MAX_PLACES && !known.contains_key(&place) {
            return None;
        }
        let new = || Arc::new(CallSite::new(event.target()));
        Some(Arc::clone(known.entry(place).or_insert_with(new)))
    }

    /// Counts a line that is not written; whether it is the first since somebody looked.
    pub(crate) fn suppress(&self, site: &CallSite) -> bool {
        // In one order for all: whoever resets the flag first sees what was counted before it was
        // found set.
        site.suppressed.fetch_add(1, Ordering::SeqCst);
        !self.has_news.load(Ordering::SeqCst) && !self.has_news.swap(true, Ordering::SeqCst)
    }

    /// What was not written since the last time.
    pub(crate) fn take(&self) -> Vec<Suppressed> {
        if !self.has_news.swap(false, Ordering::SeqCst) {
            return Vec::new();
        }
        let known = self.lock();
        let taken = known.iter().filter_map(|(place, site)| {
            let lines = site.suppressed.swap(0, Ordering::SeqCst);
            (lines > 0).then(|| Suppressed {
                place: place.clone(),
                logger: site.logger.clone(),
                lines,
            })
        });
        taken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// LOG-5: of each second as many lines as are allowed, whichever way the clock goes.
    #[test]
    fn the_first_of_each_second_are_admitted() {
        let site = CallSite::new("x");
        let admitted = |second, lines| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
            (0..lines).filter(|_| site.admits(now, 3)).count()
        };
        assert_eq!([admitted(0, 2), admitted(0, 2)], [2, 1]);
        assert_eq!([admitted(7, 9), admitted(7, 9), admitted(8, 1)], [3, 0, 1]);
        assert_eq!([admitted(7, 1), admitted(6, 9)], [1, 1], "stragglers");
        assert_eq!(admitted(3, 9), 3, "a clock that was set back");
    }
}
