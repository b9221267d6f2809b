//! A backend that follows a script, and a folder that is gone afterwards.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::backend::{Answer, Backend, BackendError, SecretData};
use core_secrets::{Builder, Config, Event, Secrets};
use core_types::Secret;
use tokio::time::{Instant, sleep};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

type Play = dyn Fn(u32, &str, Option<&str>) -> Result<SecretData, BackendError> + Send + Sync;

/// Answers by a closure that is given the number of the call, from 0.
pub(crate) struct Script {
    play: Box<Play>,
    takes: Duration,
    calls: Mutex<Vec<Instant>>,
}

impl Script {
    pub(crate) fn new(
        play: impl Fn(u32, &str, Option<&str>) -> Result<SecretData, BackendError>
        + Send
        + Sync
        + 'static,
    ) -> Arc<Self> {
        Self::slow(Duration::ZERO, play)
    }

    pub(crate) fn slow(
        takes: Duration,
        play: impl Fn(u32, &str, Option<&str>) -> Result<SecretData, BackendError>
        + Send
        + Sync
        + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { play: Box::new(play), takes, calls: Mutex::default() })
    }

    /// When it was called.
    pub(crate) fn calls(&self) -> Vec<Instant> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.calls().len()
    }
}

impl Backend for Script {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        Box::pin(async move {
            let number = {
                let mut calls = self.calls.lock().unwrap();
                calls.push(Instant::now());
                u32::try_from(calls.len() - 1).unwrap()
            };
            sleep(self.takes).await;
            (self.play)(number, path, key)
        })
    }
}

pub(crate) fn value(key: Option<&str>, value: &str) -> SecretData {
    SecretData::new().with(key, value.into())
}

pub(crate) fn down() -> BackendError {
    BackendError::unavailable("connection refused")
}

/// Secrets with the given backends, in this order.
pub(crate) fn builder<const N: usize>(backends: [(&str, Arc<Script>); N]) -> Builder {
    with_config(backends, |_| {})
}

pub(crate) fn with_config<const N: usize>(
    backends: [(&str, Arc<Script>); N],
    change: impl FnOnce(&mut Config),
) -> Builder {
    let mut config = Config::default();
    config.backend = backends.iter().map(|(name, _)| name).collect();
    change(&mut config);
    backends.into_iter().fold(Secrets::builder(config), |builder, (name, script)| {
        builder.with_backend(name, script)
    })
}

/// Keeps every event.
pub(crate) fn observed(builder: Builder) -> (Secrets, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let secrets = builder.with_observer(move |event| kept.lock().unwrap().push(event.clone()));
    (secrets.build().unwrap(), events)
}

pub(crate) fn shown(secret: &Secret<String>) -> &str {
    secret.expose()
}

/// A folder that is removed when dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("core-secrets-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
