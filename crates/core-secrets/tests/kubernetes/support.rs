//! What all tests of the backend need.

use std::future::Future;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use core_secrets::{Config, Error, ErrorKind, Event, Secrets};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::server::Server;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Asks until the answer is yes.
pub(crate) async fn eventually<F: Future<Output = bool>>(limit: Duration, ask: impl Fn() -> F) {
    let deadline = Instant::now() + limit;
    while !ask().await {
        assert!(Instant::now() < deadline, "not within {limit:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Secrets of the backend alone. They are refreshed only when it tells of a change.
pub(crate) fn secrets(kubeconfig: &Path, namespace: &str) -> (Secrets, Arc<Mutex<Vec<Event>>>) {
    let mut config = Config::default();
    config.backend = "kubernetes".into();
    config.auto_refresh = true;
    config.refresh_interval = core_types::Duration::from_secs(365 * 24 * 3600);
    config.retries = 0;
    config.kubernetes.namespace = namespace.into();
    config.kubernetes.kubeconfig = Some(kubeconfig.to_owned());
    // On a busy machine a healthy server may take longer than the default.
    config.kubernetes.request_timeout = core_types::Duration::from_secs(20);
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let builder = Secrets::builder(config);
    let builder = builder.with_observer(move |event| kept.lock().unwrap().push(event.clone()));
    (builder.build().unwrap(), events)
}

/// Does something while the refresh runs.
pub(crate) async fn during<T>(secrets: &Secrets, what: impl Future<Output = T>) -> T {
    tokio::select! {
        () = secrets.run() => unreachable!("it never ends"),
        done = what => done,
    }
}

pub(crate) async fn read(secrets: &Secrets, path: &str, key: Option<&str>) -> String {
    secrets.get(path, key).await.unwrap().expose().clone()
}

/// How the backend failed, and what it says.
pub(crate) async fn refused(
    secrets: &Secrets,
    path: &str,
    key: Option<&str>,
) -> (ErrorKind, String) {
    match secrets.get(path, key).await.unwrap_err() {
        Error::NotFound { tried, .. } => (tried[0].1.kind(), tried[0].1.to_string()),
        Error::Backend { source, .. } => {
            let told = core_types::Chain(&source).to_string();
            (source.kind(), told)
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A token of a service account that is valid for an hour.
pub(crate) fn lasting(server: &Server, account: &Value) -> String {
    let mut claims = account.clone();
    claims["iat"] = now().into();
    claims["exp"] = (now() + 3600).into();
    server.sign(&claims)
}
