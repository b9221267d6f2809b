//! Which engine a path belongs to, and how it is read there.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::api::Reply;
use crate::{BackendError, ErrorKind, VaultConfig};

/// An engine may be changed to version 2 while the service runs. What is not found is looked for
/// again so much later at the earliest.
const SURE: Duration = Duration::from_secs(60);

/// How an engine is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// A KV engine that keeps versions.
    Versioned,
    /// A KV engine of version 1, or any other.
    Plain,
}

/// Where the engines are, and what is known of them.
pub(super) struct Mounts {
    /// Where every path lies that names no other.
    main: String,
    others: Vec<String>,
    known: Mutex<HashMap<String, (Engine, Instant)>>,
    /// Only one asks.
    turn: tokio::sync::Mutex<()>,
}

impl Mounts {
    pub(super) fn new(config: &VaultConfig) -> Self {
        let plain = |mount: &str| mount.trim_matches('/').to_owned();
        let mut others: Vec<String> = config.mounts.iter().map(|mount| plain(mount)).collect();
        // The longer is the more exact.
        others.sort_by_key(|mount| std::cmp::Reverse(mount.len()));
        Self {
            main: plain(&config.mount_point),
            others,
            known: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The engine of a path, and what of the path is inside of it.
    pub(super) fn place<'a>(&'a self, path: &'a str) -> (&'a str, &'a str) {
        let below = |mount: &'a String| {
            let rest = path.strip_prefix(mount.as_str())?.strip_prefix('/')?;
            Some((mount.as_str(), rest))
        };
        self.others.iter().find_map(below).unwrap_or((&self.main, path))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, (Engine, Instant)>> {
        self.known.lock().expect("no panic while it is held")
    }

    /// How an engine is read; `ask` is used if nobody knows.
    pub(super) async fn engine(
        &self,
        mount: &str,
        ask: impl AsyncFnOnce() -> Result<Option<Reply>, BackendError>,
    ) -> Result<Engine, BackendError> {
        let known = || self.known().get(mount).map(|(engine, _)| *engine);
        if let Some(engine) = known() {
            return Ok(engine);
        }
        let _turn = self.turn.lock().await;
        if let Some(engine) = known() {
            return Ok(engine);
        }
        let engine = match ask().await {
            Ok(reply) => engine(&reply.and_then(|reply| reply.data).unwrap_or_default()),
            // Servers from before there were versions.
            Err(error) if error.kind() == ErrorKind::NotFound => Engine::Plain,
            Err(error) => return Err(error),
        };
        self.known().insert(mount.into(), (engine, Instant::now()));
        Ok(engine)
    }

    /// Something was not found: the engine may be another by now.
    pub(super) fn doubt(&self, mount: &str) {
        self.known().retain(|known, (_, learned)| known != mount || learned.elapsed() < SURE);
    }
}

fn engine(mount: &Map<String, Value>) -> Engine {
    let version = mount.get("options").and_then(|options| options.get("version"));
    let is_kv = mount.get("type").and_then(Value::as_str) == Some("kv");
    if is_kv && version.and_then(Value::as_str) == Some("2") {
        Engine::Versioned
    } else {
        Engine::Plain
    }
}
