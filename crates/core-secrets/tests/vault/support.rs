//! A Vault of its own for each test, and what tests say to it.

mod certificates;
mod http;
mod postgres;
mod process;
mod proxy;
mod reviewer;
mod server;
mod until;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::{Config, Event, Secrets};

pub(crate) use self::certificates::Authority;
pub(crate) use self::postgres::Postgres;
pub(crate) use self::proxy::{Mode, Proxy};
pub(crate) use self::reviewer::Reviewer;
pub(crate) use self::server::{Server, Setup};
pub(crate) use self::until::until;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A configuration that reads from a server, with its root token.
pub(crate) fn config(server: &Server) -> Config {
    let mut config = Config::default();
    config.backend = "vault".into();
    config.vault.url = server.url();
    config.vault.token = Some(server.root_token().into());
    config
}

pub(crate) type Events = Arc<Mutex<Vec<Event>>>;

/// Keeps every event but rotations, for these hold the old lease as long as they are kept.
pub(crate) fn observed(config: Config) -> (Secrets, Events) {
    let events = Events::default();
    let kept = Arc::clone(&events);
    let builder = Secrets::builder(config);
    let builder = builder.with_observer(move |event| {
        if !matches!(event, Event::Rotated { .. }) {
            kept.lock().unwrap().push(event.clone());
        }
    });
    (builder.build().unwrap(), events)
}

/// Runs the refresh while something else is done.
pub(crate) async fn with<T>(secrets: &Secrets, work: impl Future<Output = T>) -> T {
    tokio::select! {
        () = secrets.run() => unreachable!("it never ends"),
        done = work => done,
    }
}
