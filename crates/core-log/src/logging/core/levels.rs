//! Which levels are written, and who is told when that changes.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use tracing::callsite;
use tracing::dispatcher::{self, WeakDispatch};
use tracing_log::{AsLog as _, log};

use super::{Core, OWN_TARGET, lock};
use crate::levels::LevelState;
use crate::{Error, Level, LevelStatus, Record};

/// What `tracing` remembers of levels belongs to the whole process, and two that change it at once
/// would leave what the first one saw.
static PUBLISHING: Mutex<()> = Mutex::new(());

impl Core {
    /// Changes levels, and tells everybody who has cached an answer. Nobody sees the one without
    /// the other.
    pub(in crate::logging) fn change_levels<R>(
        &self,
        change: impl FnOnce(&mut LevelState) -> R,
    ) -> R {
        let _publishing = lock(&PUBLISHING);
        let mut state = lock(&self.level_state);
        let result = change(&mut state);
        if state.is_configured() {
            self.levels.store(Arc::new(state.effective()));
        }
        drop(state);
        log::set_max_level(self.levels.load().most().as_log());
        // Of one subscriber alone, `tracing` asks the one of this thread, whichever that is. Before
        // there is one, nobody has an answer.
        if let Some(own) = self.dispatch.get().and_then(WeakDispatch::upgrade) {
            dispatcher::with_default(&own, callsite::rebuild_interest_cache);
        }
        result
    }

    pub(in crate::logging) fn set_level(
        core: &Arc<Self>,
        target: Option<&str>,
        level: Level,
        until: Instant,
    ) -> Result<(), Error> {
        core.change_levels(|state| {
            let before = state.clone();
            state.set(target.map(str::to_owned), level, until);
            let scheduled = core.timer.schedule(Arc::downgrade(core), state.next_expiry());
            scheduled.inspect_err(|_| *state = before)
        })
    }

    pub(in crate::logging) fn reset_level(&self, target: Option<&str>) -> bool {
        self.change_levels(|state| state.reset(target))
    }

    pub(in crate::logging) fn list_levels(&self) -> Vec<LevelStatus> {
        let _publishing = lock(&PUBLISHING);
        lock(&self.level_state).list(Instant::now())
    }

    /// Ends the changes whose time has come, says so, and tells when the next one ends.
    pub(super) fn expire_levels(&self, now: Instant) -> Option<Instant> {
        let next = lock(&self.level_state).next_expiry();
        if next.is_none_or(|next| next > now) {
            return next;
        }
        let (ended, next) = self.change_levels(|state| (state.expire(now), state.next_expiry()));
        for target in ended {
            let level = self.levels.load().level_of(target.as_deref().unwrap_or_default());
            let record = Record::new(tracing::Level::INFO, OWN_TARGET, "log level reverted")
                .with_text("target", target.as_deref().unwrap_or("all"))
                .with_text("to", level.as_str());
            self.write(&record);
        }
        next
    }
}
