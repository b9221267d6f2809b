//! SEC-3, SEC-5: credentials that a real Vault makes for a real PostgreSQL, and takes back.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::{Event, Hold, Secrets};
use deadpool_postgres::{Manager, Pool};
use serde_json::json;
use tokio_postgres::NoTls;

use crate::support::{Events, Postgres, SECOND, Server, config, observed, until, with};

const PATH: &str = "database/creds/app";

fn lent(server: &Server) -> (Secrets, Events) {
    let mut config = config(server);
    config.vault.mounts = vec!["database".into()];
    observed(config)
}

async fn user(secrets: &Secrets) -> (String, String) {
    let get = async |key| secrets.get(PATH, Some(key)).await.unwrap().expose().clone();
    (get("username").await, get("password").await)
}

/// How many leases the server knows of.
async fn leases(server: &Server) -> usize {
    let (_, known) =
        server.try_ask("LIST", "sys/leases/lookup/database/creds/app", &json!(null)).await;
    known["data"]["keys"].as_array().map_or(0, Vec::len)
}

fn count(events: &Events, is_meant: impl Fn(&Event) -> bool) -> usize {
    events.lock().unwrap().iter().filter(|event| is_meant(event)).count()
}

/// The connections of one user. The lease of its credentials is held for as long as there are any.
struct Connections {
    pool: Pool,
    hold: Mutex<Option<Hold>>,
}

impl Connections {
    fn new(postgres: &Postgres, user: &str, password: &str) -> Arc<Self> {
        let manager = Manager::new(postgres.settings(user, password), NoTls);
        let pool = Pool::builder(manager).max_size(4).build().unwrap();
        Arc::new(Self { pool, hold: Mutex::default() })
    }
}

/// SEC-5: a pool under steady load lives through twenty rotations without one failed query, and an
/// old credential is taken back only when the new one is in use and nobody uses the old.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_pool_lives_through_twenty_rotations() {
    const ROTATIONS: u32 = 20;
    let (server, postgres) = (Server::start().await, Arc::new(Postgres::start().await));
    postgres.lend_by(&server, "3s", "3s").await;
    let (secrets, events) = lent(&server);
    let (name, password) = user(&secrets).await;
    let current = Arc::new(Mutex::new(Connections::new(&postgres, &name, &password)));
    let rotations = Arc::new(AtomicU32::new(0));

    let (slot, counter, handle) = (Arc::clone(&current), Arc::clone(&rotations), secrets.clone());
    let database = Arc::clone(&postgres);
    let _subscription = secrets.on_rotation(PATH, Some("password"), move |rotation| {
        let name = handle.cached(PATH, Some("username")).ok_or("no name")?;
        let new = Connections::new(&database, name.expose(), rotation.new.expose());
        let old = std::mem::replace(&mut *slot.lock().unwrap(), new);
        *old.hold.lock().unwrap() = Some(rotation.hold());
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });

    let queries = AtomicU32::new(0);
    let load = async || {
        while rotations.load(Ordering::Relaxed) < ROTATIONS {
            let connections = Arc::clone(&current.lock().unwrap());
            let client = connections.pool.get().await.expect("a connection");
            client.query_one("SELECT pg_sleep(0.01)", &[]).await.expect("an answer");
            queries.fetch_add(1, Ordering::Relaxed);
        }
    };
    let most = async {
        let mut most = 0;
        while rotations.load(Ordering::Relaxed) < ROTATIONS {
            most = most.max(leases(&server).await);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        most
    };
    let all = async { tokio::join!(load(), load(), load(), load(), most).4 };
    let most = with(&secrets, tokio::time::timeout(SECOND * 120, all)).await.expect("in time");
    assert!(queries.load(Ordering::Relaxed) > 1000, "{queries:?} queries");
    assert!(most <= 3, "{most} leases at once");
    let revoked = count(&events, |event| matches!(event, Event::Revoked { error: None, .. }));
    assert!(revoked >= 18, "{revoked} were given back");
    let failed = count(&events, |event| matches!(event, Event::Revoked { error: Some(_), .. }));
    assert_eq!(failed, 0, "given back in vain");

    // SEC-3: nothing is left behind.
    drop(current);
    secrets.close().await;
    until("every lease is given back", async || leases(&server).await == 0).await;
}

/// SEC-5: a subscriber that refuses keeps the old credential, which is good until its own end.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn who_refuses_keeps_the_old_credential() {
    let (server, postgres) = (Server::start().await, Postgres::start().await);
    postgres.lend_by(&server, "6s", "6s").await;
    let (secrets, events) = lent(&server);
    let (name, password) = user(&secrets).await;
    let _subscription = secrets
        .on_rotation(PATH, Some("password"), |_| Err("the pool is not to be changed".into()));
    with(&secrets, async {
        until("it is rotated", async || user(&secrets).await.0 != name).await;
        assert!(secrets.status().iter().any(|secret| secret.refused));
        assert!(postgres.admits(&name, &password).await, "the old one is good");
        let (new, its_password) = user(&secrets).await;
        assert!(postgres.admits(&new, &its_password).await, "and so is the new one");
        assert_eq!(count(&events, |event| matches!(event, Event::Revoked { .. })), 0);
        until("the old one ends", async || !postgres.admits(&name, &password).await).await;
    })
    .await;
    assert_eq!(count(&events, |event| matches!(event, Event::Revoked { .. })), 0);
}

/// SEC-3: a lease is prolonged, under the same credential, and another is taken before the last end.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_lease_is_prolonged_and_then_replaced() {
    let (server, postgres) = (Server::start().await, Postgres::start().await);
    postgres.lend_by(&server, "3s", "8s").await;
    let (secrets, events) = lent(&server);
    let (name, password) = user(&secrets).await;
    with(&secrets, async {
        tokio::time::sleep(SECOND * 5).await;
        assert_eq!(user(&secrets).await.0, name, "prolonged past its first end");
        until("another is taken", async || {
            assert!(postgres.admits(&name, &password).await || user(&secrets).await.0 != name);
            user(&secrets).await.0 != name
        })
        .await;
    })
    .await;
    let renewed = |event: &Event| matches!(event, Event::Refreshed { outcome, .. } if outcome.as_str() == "renewed");
    assert!(count(&events, renewed) >= 4, "two renewals of two keys");
    assert_eq!(count(&events, |event| matches!(event, Event::RefreshFailed { .. })), 0);
    assert_eq!(leases(&server).await, 2, "nobody has accepted, so the old one is left to its end");
    secrets.close().await;
    until("every lease is given back", async || leases(&server).await == 0).await;
}

/// SEC-3: a password that Vault changes from time to time is read again when it has been.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_static_role_is_read_after_its_change() {
    let (server, postgres) = (Server::start().await, Postgres::start().await);
    postgres.lend_by(&server, "3s", "8s").await;
    let role = json!({ "db_name": "app", "username": "app", "rotation_period": "5s" });
    let (client, connection) = postgres.superuser().await;
    let driver = tokio::spawn(connection);
    client.batch_execute("CREATE ROLE app WITH LOGIN").await.unwrap();
    driver.abort();
    server.ask("POST", "database/static-roles/fixed", &role).await;
    let (secrets, _) = lent(&server);
    let get = async || secrets.get("database/static-creds/fixed", Some("password")).await;
    let first = get().await.unwrap();
    with(&secrets, async {
        until("it is changed", async || get().await.is_ok_and(|now| now != first)).await;
        let now = get().await.unwrap();
        assert!(postgres.admits("app", now.expose()).await);
    })
    .await;
}
