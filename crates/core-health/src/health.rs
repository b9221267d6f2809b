use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use core_types::{Duration, Status};
use futures_util::future::FutureExt as _;
use http::{Response, request};

use crate::entry::{Entry, Now};
use crate::handle::Handle;
use crate::schedule::{self, Check};
use crate::shared::Shared;
use crate::{
    CheckOptions, Component, Config, Error, Event, GoodNews, Group, Heartbeat, Kind, Latch, Report,
    Snapshot, Transition, respond,
};

/// How the service is doing, and how it says so. Cheap to clone.
///
/// Checks are registered by name, each with its own way to be told: [`check`](Self::check) is run
/// in the background, [`component`](Self::component) is pushed, [`latch`](Self::latch) is released
/// once, [`heartbeat`](Self::heartbeat) beats. Names are 1 to 64 of `a-z`, `0-9`, `_`, `.`, `-`,
/// are public, and stay for as long as the service runs. One is there from the start: `shutdown`,
/// which [`stopping`](Self::stopping) makes unhealthy.
///
/// ```
/// use core_health::{Config, Health, Report};
///
/// let health = Health::new(Config::default(), env!("CARGO_PKG_VERSION"))?;
/// health.check("database", async || Report::healthy().with_data("connections", 7))?;
/// let broker = health.component("broker")?;
/// broker.degraded("reconnecting");
/// let run = health.run(); // to be spawned by the host
/// # drop(run);
/// # Ok::<(), core_health::Error>(())
/// ```
#[derive(Clone)]
pub struct Health {
    shared: Arc<Shared>,
    shutdown: Arc<Entry>,
}

impl Health {
    /// Prepares the checks of a service of this version. Nothing runs yet.
    ///
    /// # Errors
    /// What of `config` is out of range: [`Error::Interval`], [`Error::Timeout`],
    /// [`Error::TimeToLive`] or [`Error::Count`].
    pub fn new(config: Config, version: impl Into<String>) -> Result<Self, Error> {
        config.timing()?;
        let shared = Arc::new(Shared::new(config, version.into()));
        let shutdown = shared.register("shutdown", |name, now| {
            let entry = Entry::new(name, Kind::Component, "").with_healthy_start(now);
            (Arc::new(entry), None)
        })?;
        Ok(Self { shared, shutdown })
    }

    /// Tells the observer of every [`Event`], in place of the one before. Default: nobody.
    ///
    /// It is called on whatever thread noticed, that of a probe included, so it must be quick: the
    /// events that come in the meantime wait for it. It may call this crate. A panic is caught.
    #[must_use]
    pub fn with_observer(self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.shared.events.observe(Arc::new(observer));
        self
    }

    /// Registers a check that [`run`](Self::run) runs at every interval, and that gates readiness.
    ///
    /// It is run for the first time at once, and is unknown until then. A run that takes too long
    /// is dropped and counts as unhealthy, and so does one that panics. It must not block: all
    /// checks share one task. Work that it handed to other threads goes on when it is dropped.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Duplicate`].
    pub fn check<C, F, R>(&self, name: &str, run: C) -> Result<(), Error>
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Into<Report> + 'static,
    {
        self.check_with(name, CheckOptions::new(), run)
    }

    /// Registers a check with its own timing, or one that does not gate readiness.
    ///
    /// # Errors
    /// As [`check`](Self::check) and [`new`](Self::new).
    pub fn check_with<C, F, R>(
        &self,
        name: &str,
        options: CheckOptions,
        run: C,
    ) -> Result<(), Error>
    where
        C: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: Into<Report> + 'static,
    {
        let gates = options.gates();
        let timing = options.over(&self.shared.config).timing()?;
        let run = Box::new(move || run().map(Into::into).boxed());
        self.shared.register(name, |name, now| {
            let entry = Entry::new(name, Kind::Check, "has not run yet")
                .with_gates(gates)
                .with_damping(timing.rise, timing.fall)
                .with_lifetime(timing.time_to_live);
            let entry = Arc::new(entry);
            (Arc::clone(&entry), Some(Check::new(entry, timing, run, now.instant)))
        })?;
        Ok(())
    }

    /// Registers a part of the service that tells by itself how it is doing. It gates readiness.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Duplicate`].
    pub fn component(&self, name: &str) -> Result<Component, Error> {
        self.register(name, |name, _| Entry::new(name, Kind::Component, "has not reported yet"))
            .map(Component)
    }

    /// As [`component`](Self::component), but it gates nothing: it shows in
    /// [`Group::Everything`], for parts without which the service still does its work.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Duplicate`].
    pub fn diagnostic_component(&self, name: &str) -> Result<Component, Error> {
        self.register(name, |name, _| {
            Entry::new(name, Kind::Component, "has not reported yet").with_gates(false)
        })
        .map(Component)
    }

    /// Registers one thing that has to be done before the service has started and is ready.
    ///
    /// # Errors
    /// [`Error::Name`] and [`Error::Duplicate`].
    pub fn latch(&self, name: &str) -> Result<Latch, Error> {
        self.register(name, |name, _| Entry::new(name, Kind::Latch, "has not been released yet"))
            .map(Latch::new)
    }

    /// Registers a loop that has to show, at least once per `limit`, that it still turns.
    ///
    /// This is all that liveness looks at, and so a check that asks somebody else cannot be
    /// registered for it: an outage of a dependency would restart every replica, and heal nothing.
    /// The limit is above zero; take several times what the slowest honest round takes.
    ///
    /// ```
    /// # use core_health::{Config, Health, Report};
    /// # use std::time::Duration;
    /// # let health = Health::new(Config::default(), "1.0.0")?;
    /// # async fn ping() -> Report { Report::healthy() }
    /// health.check("database", || ping())?;
    /// let beat = health.heartbeat("consumer", Duration::from_secs(30))?;
    /// # Ok::<(), core_health::Error>(())
    /// ```
    ///
    /// A check does not compile here (HLT-1):
    ///
    /// ```compile_fail,E0277
    /// # use core_health::{Config, Health, Report};
    /// # use std::time::Duration;
    /// # let health = Health::new(Config::default(), "1.0.0")?;
    /// # async fn ping() -> Report { Report::healthy() }
    /// let beat = health.heartbeat("database", || ping())?;
    /// # Ok::<(), core_health::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Duplicate`] and [`Error::Limit`].
    pub fn heartbeat(&self, name: &str, limit: impl Into<Duration>) -> Result<Heartbeat, Error> {
        let limit = limit.into();
        if limit.is_zero() {
            return Err(Error::Limit { name: name.into() });
        }
        self.register(name, |name, now| {
            Entry::new(name, Kind::Heartbeat, "").with_lifetime(limit.get()).with_healthy_start(now)
        })
        .map(Heartbeat)
    }

    /// Registers a group of one's own: a path, `/health/NAME`, for just these checks.
    ///
    /// For a question that neither readiness nor liveness answers: whether a feature works, or one
    /// region. Each check counts in full there, a diagnostic one too, because it was named. The
    /// checks have to be registered before, so that a name that was misspelt refuses the start.
    ///
    /// ```
    /// # use core_health::{Config, Health, Report};
    /// # let health = Health::new(Config::default(), "1.0.0")?;
    /// health.check("mail", async || Report::healthy())?;
    /// health.group("ordering", &["mail", "shutdown"])?;
    /// # Ok::<(), core_health::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Name`], [`Error::Duplicate`] (groups and checks share their names) and
    /// [`Error::Member`].
    pub fn group(&self, name: &str, checks: &[&str]) -> Result<(), Error> {
        self.shared.group(name, checks)
    }

    fn register(
        &self,
        name: &str,
        entry: impl FnOnce(Arc<str>, Now) -> Entry,
    ) -> Result<Handle, Error> {
        let make = |name, now| (Arc::new(entry(name, now)), None);
        let entry = self.shared.register(name, make)?;
        Ok(Handle { shared: Arc::clone(&self.shared), entry })
    }

    /// Says that the service stops: from now on it is not ready, at once and for ever.
    ///
    /// Liveness is healthy from now on, whatever the heartbeats do: the loops end one by one, and
    /// a restart would cut the stop short.
    pub fn stopping(&self) {
        self.shared.stop();
        self.shared.change(&self.shutdown, |shutdown, now| {
            shutdown.hear(Status::Unhealthy, Some("the service is stopping".into()), now);
        });
    }

    /// Runs every check, those registered later too. Never ends.
    ///
    /// The host spawns it. A second call waits until the first is dropped, and then takes over:
    /// no check is ever run twice at once, or more than once per interval.
    ///
    /// # Panics
    /// When it is polled outside of a Tokio runtime with a timer.
    ///
    /// # Cancel safety
    /// Dropped, it drops the runs under way without a result; their checks are run again at their
    /// next interval by whoever runs them then. While nobody does, results outlive their time to
    /// live and their checks become unknown.
    pub fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(&self.shared);
        async move { schedule::run(&shared).await }
    }

    /// Every check at this moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot(|_| true)
    }

    /// The latest hundred changes of state, the oldest first, with reasons.
    #[must_use]
    pub fn history(&self) -> Vec<Transition> {
        self.shared.look();
        self.shared.events.history()
    }

    /// The status of a group at this moment.
    #[must_use]
    pub fn status(&self, group: Group) -> Status {
        self.shared.summary(group, |summary, _| summary.status)
    }

    /// Answers a probe, or `None` if the path is not ours. Runs nothing and waits for nothing.
    ///
    /// | path | aliases | group |
    /// |---|---|---|
    /// | `/health` | `/healthz` | [`Group::Everything`] |
    /// | `/health/live` | `/livez` | [`Group::Liveness`] |
    /// | `/health/ready` | `/readyz`, `/ready` | [`Group::Readiness`] |
    /// | `/health/startup` | `/startupz` | [`Group::Startup`] |
    /// | `/health/NAME` | `/healthz/NAME` | one of your own: [`group`](Self::group) |
    ///
    /// Below each of them, `/NAME` is one check of that group alone; an unknown one is not ours.
    /// A group is as bad as the worst of its checks, and healthy without any; a diagnostic check
    /// counts at most as degraded. Healthy and degraded answer 200, unhealthy 503; methods other
    /// than GET and HEAD 405.
    ///
    /// `?exclude=NAME,NAME` leaves checks out, and warns of names that are not there. The answer
    /// is what `Accept` likes best of `application/json` (also when it likes none),
    /// `application/health+json` (draft-inadarei-api-health-check-06), and `text/plain`: one word,
    /// or with `?verbose` a line per check.
    ///
    /// `details` says that the caller may see reasons. Names, states, latencies and data are public.
    #[must_use]
    pub fn respond(&self, parts: &request::Parts, details: bool) -> Option<Response<Bytes>> {
        respond::respond(&self.shared, parts, details)
    }

    /// The answer of [`respond`](Self::respond) without details, when it is by 200 and of the kind that
    /// probes ask for all day: to a GET of a [`Group`], without a query, in JSON or by one word.
    #[must_use]
    pub fn good_news(&self, parts: &request::Parts) -> Option<GoodNews> {
        respond::good_news(&self.shared, parts)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("version", &self.shared.version).finish_non_exhaustive()
    }
}
