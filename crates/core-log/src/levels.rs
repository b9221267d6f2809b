use std::time::{Duration, Instant};

use crate::{Level, Levels};

/// The level of a target: as configured, and as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelStatus {
    /// The target; `None` is all that have no level of their own.
    pub target: Option<String>,
    /// What the configuration says.
    pub configured: Level,
    /// What counts now.
    pub effective: Level,
    /// How long a change made by hand will last.
    pub expires_in: Option<Duration>,
}

/// The configured levels, and changes made by hand that end by themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct LevelState {
    configured: Levels,
    is_configured: bool,
    overrides: Vec<Override>,
}

#[derive(Clone, Debug)]
struct Override {
    target: Option<String>,
    level: Level,
    until: Instant,
}

impl LevelState {
    pub(crate) fn configure(&mut self, levels: Levels) {
        self.configured = levels;
        self.is_configured = true;
    }

    /// Whether the configuration is known already.
    pub(crate) fn is_configured(&self) -> bool {
        self.is_configured
    }

    pub(crate) fn set(&mut self, target: Option<String>, level: Level, until: Instant) {
        self.reset(target.as_deref());
        self.overrides.push(Override { target, level, until });
    }

    /// Ends a change made by hand; whether there was one.
    pub(crate) fn reset(&mut self, target: Option<&str>) -> bool {
        let before = self.overrides.len();
        self.overrides.retain(|known| known.target.as_deref() != target);
        self.overrides.len() < before
    }

    /// Ends the changes whose time has come, and tells their targets.
    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Option<String>> {
        let (over, left) = self.overrides.drain(..).partition(|known| known.until <= now);
        self.overrides = left;
        over.into_iter().map(|known: Override| known.target).collect()
    }

    /// When the next change ends.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.overrides.iter().map(|known| known.until).min()
    }

    /// What counts now.
    pub(crate) fn effective(&self) -> Levels {
        let default = self.overrides.iter().find(|known| known.target.is_none());
        let default = default.map_or(self.configured.default_level(), |known| known.level);
        let levels =
            self.configured.targets().fold(Levels::all(default), |levels, (target, level)| {
                levels.with_target(target, level)
            });
        let by_hand =
            self.overrides.iter().filter_map(|known| Some((known.target.as_ref()?, known)));
        by_hand.fold(levels, |levels, (target, known)| levels.with_target(target, known.level))
    }

    pub(crate) fn list(&self, now: Instant) -> Vec<LevelStatus> {
        let effective = self.effective();
        let expires_in = |target: Option<&str>| {
            let known = self.overrides.iter().find(|known| known.target.as_deref() == target);
            known.map(|known| known.until.saturating_duration_since(now))
        };
        let all = LevelStatus {
            target: None,
            configured: self.configured.default_level(),
            effective: effective.default_level(),
            expires_in: expires_in(None),
        };
        let targets = effective.targets().map(|(target, level)| LevelStatus {
            target: Some(target.to_owned()),
            configured: self.configured.level_of(target),
            effective: level,
            expires_in: expires_in(Some(target)),
        });
        std::iter::once(all).chain(targets).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-4: a change made by hand ends by itself, and the list shows both levels.
    #[test]
    fn a_change_by_hand_ends() {
        let (now, minute) = (Instant::now(), Duration::from_secs(60));
        let mut state = LevelState::default();
        state.configure("info,hyper=warn".parse().unwrap());
        // The later of two changes is the only one.
        state.set(Some("hyper".into()), Level::OFF, now);
        state.set(Some("hyper".into()), Level::TRACE, now + minute);
        state.set(None, Level::DEBUG, now + 2 * minute);
        state.set(Some("app".into()), Level::OFF, now + 2 * minute);
        assert_eq!(state.effective().to_string(), "debug,hyper=trace,app=off");
        let list = state.list(now);
        let hyper = &list[1];
        assert_eq!((hyper.configured, hyper.effective), (Level::WARN, Level::TRACE));
        assert_eq!(hyper.expires_in, Some(minute));

        assert_eq!(state.next_expiry(), Some(now + minute));
        assert_eq!(state.expire(now + minute), [Some("hyper".to_owned())]);
        assert_eq!(state.effective().to_string(), "debug,hyper=warn,app=off");
        assert!(state.reset(Some("app")));
        assert!(!state.reset(Some("app")));
        // A new configuration does not end what was set by hand.
        state.configure("error".parse().unwrap());
        assert_eq!(state.effective().to_string(), "debug");
        state.expire(now + 2 * minute);
        assert_eq!(state.effective().to_string(), "error");
        assert_eq!(state.next_expiry(), None);
    }
}
