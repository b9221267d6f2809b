//! Places in the code that write more than they may.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tracing::Metadata;

use super::super::state::State;
use super::{Core, dropped};
use crate::Event;
use crate::rate::Suppressed;
use crate::site::Site;

/// How long after the first line that was one too many it is told.
const SUMMARY: Duration = Duration::from_secs(1);
const REASON: &str = "rate_limited";

impl Core {
    /// Whether an event is one too many for its place in the code. It is counted then.
    pub(crate) fn suppresses(
        core: &Arc<Self>,
        (state, site): (&State, &Site),
        event: &Metadata<'_>,
        now: SystemTime,
    ) -> bool {
        if state.max_per_callsite == 0 {
            return false;
        }
        let Some(call_site) = site.call_site(|| core.call_sites.of(event)) else { return false };
        if call_site.admits(now, state.max_per_callsite) {
            return false;
        }
        if core.call_sites.suppress(call_site) {
            let summary = Some(Instant::now() + SUMMARY);
            // Without the thread, the end of the log tells.
            let _ = core.timer.schedule(Arc::downgrade(core), summary);
        }
        true
    }

    /// Tells which places wrote too much since the last time, and when to look again.
    pub(super) fn tell_suppressed(&self) -> Option<Instant> {
        let suppressed = self.call_sites.take();
        let lines = suppressed.iter().map(|suppressed| suppressed.lines).sum();
        if lines == 0 {
            return None;
        }
        let file = self.state.load().file.as_ref().map(|_| "file");
        for sink in std::iter::once("stdout").chain(file) {
            self.observer.report(&Event::Dropped { sink, reason: REASON, lines });
        }
        for Suppressed { place, logger, lines } in suppressed {
            let record = dropped(lines, REASON).with_text("callsite", &place);
            self.write(&record.with_text("callsite_logger", &logger));
        }
        Some(Instant::now() + SUMMARY)
    }
}
