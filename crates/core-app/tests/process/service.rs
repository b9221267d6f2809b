//! The services that misbehave, each in its own way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use core_app::config::Validate;
use core_app::config::schemars::{self, JsonSchema};
use core_app::secrets::backend::Answer;
use core_app::secrets::{Backend, SecretData};
use core_app::shutdown::{Priority, Reason};
use core_app::types::Secret;
use core_app::{App, BoxError, Exit, Host};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

/// As many workers has the app's runtime.
pub(crate) const WORKERS: usize = 2;

/// So long a slow request keeps its worker.
pub(crate) const SLOW: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Its requests never give their worker back.
    Stuck,
    /// Its backend for secrets blocks the thread that hears of signals.
    Deaf,
    /// Its backend for secrets never answers.
    Mute,
    /// Its start never ends.
    Slow,
    /// It has a subscriber that never answers.
    Hung,
    /// Its start gives up when it is to stop.
    Quitter,
    /// It does what it should.
    Plain,
    /// It stops by itself, and takes its time.
    Patient,
}

impl Kind {
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        match name {
            "stuck" => Some(Self::Stuck),
            "deaf" => Some(Self::Deaf),
            "mute" => Some(Self::Mute),
            "slow" => Some(Self::Slow),
            "hung" => Some(Self::Hung),
            "quitter" => Some(Self::Quitter),
            "plain" => Some(Self::Plain),
            "patient" => Some(Self::Patient),
            _ => None,
        }
    }
}

#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    #[serde(skip_serializing)]
    key: Option<Secret<String>>,
}

impl Validate for Settings {}

/// Gives another value each time; the deaf one's second never comes.
struct Counting {
    kind: Kind,
    asked: AtomicUsize,
}

impl Backend for Counting {
    fn get<'a>(&'a self, _: &'a str, key: Option<&'a str>) -> Answer<'a> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if self.kind == Kind::Deaf && asked > 0 {
            tracing::info!("the backend blocks");
            block();
        }
        if self.kind == Kind::Mute {
            tracing::info!("the backend says nothing");
            return Box::pin(std::future::pending());
        }
        let value = Secret::from(format!("canary-{asked}"));
        Box::pin(async move { Ok(SecretData::new().with(key, value)) })
    }
}

/// From outside, and over and over: what waits behind a stuck worker is not always taken by another.
fn block_every_worker(runtime: &Handle) {
    let runtime = runtime.clone();
    std::thread::spawn(move || {
        let blocked = Arc::new(AtomicUsize::new(0));
        while blocked.load(Ordering::Relaxed) < WORKERS {
            let blocked = Arc::clone(&blocked);
            runtime.spawn(async move {
                let blocked = blocked.fetch_add(1, Ordering::Relaxed) + 1;
                tracing::info!(blocked, "blocked");
                block();
            });
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

/// Keeps its thread for ever.
fn block() {
    loop {
        std::thread::park();
    }
}

pub(crate) fn run(kind: Kind) -> Exit {
    App::new("misbehaving", "0.0.0")
        .with_settings::<Settings>()
        .with_arguments(std::env::args_os().skip(2))
        .with_secrets_backend("counting", Counting { kind, asked: AtomicUsize::new(0) })
        .run(move |host| start(kind, host))
}

async fn start(kind: Kind, host: Host<Settings>) -> Result<Router, BoxError> {
    if kind == Kind::Slow {
        tracing::info!("starting for ever");
        std::future::pending::<()>().await;
    }
    if kind == Kind::Quitter {
        tracing::info!("starting for ever");
        host.stopping().reason().await;
        return Err("given up".into());
    }
    if kind == Kind::Hung {
        host.live().subscribe("hung", |_, _| {
            tracing::info!("the subscriber hangs");
            block();
            Ok(core_app::config::Commit::nothing())
        });
    }
    let stopping = host.clone();
    host.on_stop("patient", Priority::default(), move || async move {
        if kind == Kind::Patient {
            use tokio::signal::unix::{SignalKind, signal};
            let mut signal = signal(SignalKind::terminate())?;
            tracing::info!("the callback waits for a signal");
            signal.recv().await;
        }
        Ok(())
    })?;
    let stuck = async || block_every_worker(&Handle::current());
    let slow = async || std::thread::sleep(SLOW);
    let stop = move || async move {
        stopping.shutdown().trigger(Reason::Requested);
    };
    Ok(Router::new()
        .route("/block", get(stuck))
        .route("/stop", get(stop))
        .route("/slow", get(slow)))
}
