//! Health to log and metrics, and the checks of what the host alone knows.

use std::future::ready;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use core_config::Live;
use core_health::checks::{self, Memory};
use core_health::{CheckOptions, Error, Event, Health, Report, State};
use core_metrics::Metrics;
use core_secrets::{SecretStatus, Secrets};
use tokio::sync::Notify;

use crate::Settings;
use crate::blocking::blocking;

const TARGET: &str = "core_app::health";

/// Tells every change of a check once, and counts it.
pub(crate) fn observer(
    metrics: &Metrics,
) -> Result<impl Fn(&Event) + Send + Sync + use<>, core_metrics::Error> {
    let help = "Changes of a check's state, by what it became.";
    let transitions =
        metrics.counter_family("health_check_transitions_total", help, ["check", "to"])?;
    Ok(move |event: &Event| {
        if let Event::Transition { check, to, .. } = event {
            transitions.with([check, to.as_str()]).increment();
        }
        log(event);
    })
}

fn log(event: &Event) {
    match event {
        Event::Transition { check, from, to, reason, .. } => {
            let (check, reason) = (check.as_ref(), reason.as_deref());
            let (was, is) = (from.as_str(), to.as_str());
            match (from, to) {
                // Every check begins so.
                (State::Unknown, State::Healthy) => {
                    tracing::debug!(target: TARGET, check, was, is, "health check changed");
                }
                (_, State::Healthy) => {
                    tracing::info!(target: TARGET, check, was, is, "health check changed");
                }
                // A stop is no trouble.
                _ if check == "shutdown" => {
                    tracing::debug!(target: TARGET, check, was, is, "health check changed");
                }
                _ => tracing::warn!(target: TARGET, check, was, is, reason, "health check changed"),
            }
        }
        Event::SlowCheck { check, latency, timed_out, .. } => {
            let latency_ms = crate::outcome::milliseconds(*latency);
            tracing::warn!(target: TARGET, check = check.as_ref(), latency_ms, timed_out, "health check is slow");
        }
        _ => {}
    }
}

/// Metrics tell the state of each check.
pub(crate) fn to_metrics(health: &Health, metrics: &Metrics) {
    let health = health.clone();
    metrics.collect_with("health", move |samples| {
        let help = "The state of each check: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown.";
        for check in health.snapshot().checks {
            let state = match check.state {
                State::Healthy => 0.0,
                State::Degraded => 1.0,
                State::Unhealthy => 2.0,
                State::Unknown => 3.0,
            };
            samples.gauge("health_check_state", help, &[("check", check.name.as_ref())], state);
        }
    });
}

/// Changes of secrets are gathered for so long: a hundred that are refreshed together are looked at
/// once, and a person takes it for at once.
const GATHERING: Duration = Duration::from_millis(100);

/// Whether secrets are as new as they should be. What they are for works with the old ones still, so
/// it gates nothing. To be run: told of a change, it looks.
pub(crate) fn secrets(
    health: &Health,
    secrets: Secrets,
    changed: Arc<Notify>,
) -> Result<impl Future<Output = ()> + Send + use<>, Error> {
    let component = health.diagnostic_component("secrets")?;
    let look = move || {
        let (trouble, known, stale) = freshness(&secrets.status());
        component.set_data("known", known);
        component.set_data("stale", stale);
        match trouble {
            None => component.healthy(),
            Some(trouble) => component.degraded(&trouble),
        }
    };
    look();
    Ok(async move {
        loop {
            changed.notified().await;
            look();
            tokio::time::sleep(GATHERING).await;
        }
    })
}

/// What is the trouble with secrets, how many there are, and how many are stale.
fn freshness(secrets: &[SecretStatus]) -> (Option<String>, usize, usize) {
    let those = |is_meant: fn(&SecretStatus) -> bool| {
        let meant = secrets.iter().filter(|secret| is_meant(secret));
        let names = meant.map(|secret| match &secret.key {
            Some(key) => format!("{}:{key}", secret.path),
            None => secret.path.to_string(),
        });
        names.collect::<Vec<_>>()
    };
    let (stale, refused) = (those(|secret| secret.stale), those(|secret| secret.refused));
    let trouble = if !stale.is_empty() {
        Some(format!("not refreshed in time: {}", stale.join(", ")))
    } else if !refused.is_empty() {
        Some(format!("the new value was refused: {}", refused.join(", ")))
    } else {
        None
    };
    (trouble, secrets.len(), stale.len())
}

/// Whether memory and the log's disk run short, where there is a limit and a file.
pub(crate) fn resources<A: core_config::Settings>(
    health: &Health,
    live: &Live<Settings<A>>,
) -> Result<(), Error> {
    let diagnostic = || CheckOptions::new().diagnostic();
    if Memory::now().is_some() {
        let live = live.clone();
        let share = move || f64::from(live.get().host.resources.memory_percent) / 100.0;
        health.check_with("memory", diagnostic(), move || ready(checks::memory(share())))?;
    }
    #[cfg(unix)]
    if live.get().host.logging.file.is_some() {
        let (live, looking) = (live.clone(), Arc::default());
        health
            .check_with("disk", diagnostic(), move || disk(live.clone(), Arc::clone(&looking)))?;
    }
    Ok(())
}

#[cfg(unix)]
async fn disk<A: core_config::Settings>(
    live: Live<Settings<A>>,
    looking: Arc<tokio::sync::Mutex<()>>,
) -> Report {
    // A network share may never answer: one thread waits for it, and not one more at each interval.
    let Ok(only) = looking.try_lock_owned() else {
        return Report::unhealthy("the disk has not answered the last time it was asked");
    };
    let settings = live.get();
    let Some(file) = settings.host.logging.file.clone() else { return Report::healthy() };
    let least = settings.host.resources.disk_free;
    let look = move || {
        let _only = only;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        checks::disk(folder.unwrap_or(Path::new(".")), least)
    };
    blocking(look).await.unwrap_or_else(|error| Report::unhealthy(error.to_string()))
}

#[cfg(test)]
mod tests {
    use core_secrets::backend::{Answer, Backend, BackendError, SecretData};
    use core_types::{Secret, Status};
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A backend that is there until it is not.
    struct Fading(Arc<AtomicBool>);

    impl Backend for Fading {
        fn get<'a>(&'a self, _: &'a str, key: Option<&'a str>) -> Answer<'a> {
            let is_gone = self.0.load(Ordering::Relaxed);
            Box::pin(async move {
                if is_gone {
                    return Err(BackendError::denied("the token has expired"));
                }
                Ok(SecretData::new().with(key, Secret::from("canary")))
            })
        }
    }

    /// HLT-5: secrets that cannot be refreshed are shown, and take no traffic away.
    #[tokio::test(start_paused = true)]
    async fn stale_secrets_are_degraded() {
        let mut config = core_secrets::Config::default();
        config.backend = "fading".into();
        config.auto_refresh = true;
        let interval = config.refresh_interval.get();
        let is_gone = Arc::new(AtomicBool::new(false));
        let backend = Fading(Arc::clone(&is_gone));
        let changed = Arc::new(Notify::new());
        let told = Arc::clone(&changed);
        let secrets = Secrets::builder(config)
            .with_backend("fading", backend)
            .with_observer(move |_| told.notify_one())
            .build()
            .unwrap();
        secrets.get("db", Some("password")).await.unwrap();
        let health = Health::new(core_health::Config::default(), "0").unwrap();
        let keep = super::secrets(&health, secrets.clone(), changed).unwrap();
        let mut both = Box::pin(async { tokio::join!(keep, secrets.run()) });
        let mut look = async |time: Duration| {
            assert!(tokio::time::timeout(time, &mut both).await.is_err());
            let snapshot = health.snapshot();
            let check = snapshot.checks.iter().find(|check| &*check.name == "secrets").unwrap();
            (check.state, check.reason.as_deref().unwrap_or_default().to_owned())
        };
        assert_eq!(look(interval * 2).await, (State::Healthy, String::new()));
        is_gone.store(true, Ordering::Relaxed);
        assert_eq!(look(interval).await.0, State::Healthy);
        let reason = "not refreshed in time: db:password";
        assert_eq!(look(interval * 3).await, (State::Degraded, reason.into()));
        assert_eq!(health.status(core_health::Group::Readiness), Status::Healthy);
        assert_eq!(health.status(core_health::Group::Everything), Status::Degraded);
    }
}
