//! SEC-2, SEC-4: a Vault that is down, in every way there is, is not stormed, and nothing is lost.

use std::collections::BTreeSet;
use std::time::Duration;

use core_secrets::{Config, Event, Secrets};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::canary::canary;
use crate::support::{
    Authority, Events, Mode, Postgres, Proxy, SECOND, Server, Setup, config, observed, until, with,
};

const SECRETS: usize = 200;
const INTERVAL: u64 = 2;

/// How long each outage lasts. `VAULT_OUTAGE_SECONDS=600` shows what the promise says.
fn outage() -> Duration {
    let seconds = std::env::var("VAULT_OUTAGE_SECONDS").ok().and_then(|text| text.parse().ok());
    SECOND * seconds.unwrap_or(7)
}

/// The documented budget: eight at once at the beginning, and then one at a time after 1, 2, 4, 8 and
/// ever 10 seconds, each shortened to its half at most.
fn budget(outage: Duration) -> usize {
    8 + 5 + usize::try_from(outage.as_secs() / 5).unwrap()
}

/// As many as in good times, each secret once an interval, which is shortened by a fifth at most; and
/// the first that fails is tried again as often as any read.
fn good_times(outage: Duration) -> usize {
    let turns = usize::try_from(outage.as_millis() / (800 * u128::from(INTERVAL)) + 1).unwrap();
    SECRETS * (turns + usize::try_from(Config::default().retries).unwrap())
}

fn path(number: usize) -> String {
    format!("secret-{number}")
}

/// A server with two hundred secrets, somebody who counts requests, and secrets that are refreshed.
async fn scene() -> (Server, Proxy, Secrets, Events) {
    let server = Server::start().await;
    let all =
        (0..SECRETS).map(|number| async move { (path(number), json!({ "key": canary(number) })) });
    for secret in all {
        let (path, data) = secret.await;
        server.put(&path, &data).await;
    }
    let proxy = Proxy::before(server.port()).await;
    let mut config = config(&server);
    config.vault.url = proxy.url();
    config.auto_refresh = true;
    config.refresh_interval = core_types::Duration::from_secs(INTERVAL);
    let (secrets, events) = observed(config);
    let all = (0..SECRETS).map(|number| {
        let secrets = secrets.clone();
        async move { secrets.get(&path(number), Some("key")).await }
    });
    for got in futures_util::future::join_all(all).await {
        got.unwrap();
    }
    (server, proxy, secrets, events)
}

fn stale(events: &Events) -> Vec<String> {
    let path = |event: &Event| match event {
        Event::Stale { path, .. } => Some(path.to_string()),
        _ => None,
    };
    events.lock().unwrap().iter().filter_map(path).collect()
}

fn refreshed(events: &Events) -> Vec<String> {
    let path = |event: &Event| match event {
        Event::Refreshed { path, .. } => Some(path.to_string()),
        _ => None,
    };
    events.lock().unwrap().iter().filter_map(path).collect()
}

/// Breaks what the scene shows, looks at what comes of it, and mends it again.
async fn check(
    (mut server, proxy, secrets, events): (Server, Proxy, Secrets, Events),
    most: fn(Duration) -> usize,
    break_it: impl AsyncFnOnce(&mut Server, &Proxy),
    mend_it: impl AsyncFnOnce(&mut Server, &Proxy),
) {
    with(&secrets, async {
        sleep(SECOND).await;
        break_it(&mut server, &proxy).await;
        events.lock().unwrap().clear();
        let before = proxy.count();
        let start = Instant::now();
        while start.elapsed() < outage() {
            for number in 0..SECRETS {
                let value = secrets.cached(&path(number), Some("key")).expect("it stays");
                assert_eq!(*value.expose(), canary(number));
            }
            sleep(Duration::from_millis(100)).await;
        }
        let asked = proxy.count() - before;
        // A busy machine makes an outage longer than it was meant to be.
        let (lasted, most) = (start.elapsed(), most(start.elapsed()));
        assert!(asked <= most, "{asked} requests in {lasted:?}, and {most} are allowed");
        assert!(asked > 0, "it is asked for");
        until("all are stale", async || stale(&events).len() >= SECRETS).await;
        let told = stale(&events);
        assert_eq!(told.len(), SECRETS, "each is told once");
        assert_eq!(told.iter().collect::<BTreeSet<_>>().len(), SECRETS);

        events.lock().unwrap().clear();
        let before = proxy.count();
        mend_it(&mut server, &proxy).await;
        until("all are fresh", async || {
            refreshed(&events).iter().collect::<BTreeSet<_>>().len() == SECRETS
        })
        .await;
        let (asked, answered) = (proxy.count() - before, refreshed(&events).len());
        // What is still under way, and what asked whether the server is there again.
        assert!(asked <= answered + 8 + 5, "{asked} requests for {answered} answers");
        assert!(!secrets.status().iter().any(|secret| secret.stale));
    })
    .await;
}

async fn check_mode(mode: Mode, most: fn(Duration) -> usize) {
    let set = async |_: &mut Server, proxy: &Proxy| proxy.set(mode);
    check(scene().await, most, set, async |_, proxy| proxy.set(Mode::Pass)).await;
}

macro_rules! outages {
    ($($(#[$doc:meta])* $name:ident: $mode:expr, $most:expr;)*) => {
        $(
            $(#[$doc])*
            #[tokio::test]
            #[ignore = "needs a real Vault: cargo xtask test secrets"]
            async fn $name() {
                check_mode($mode, $most).await;
            }
        )*
    };
}

outages! {
    /// SEC-4: too many requests.
    a_vault_that_asks_for_fewer_requests: Mode::Answer(429), budget;
    /// SEC-4: a fault that may be of one request only: as many requests as in good times, but for the
    /// first that fails.
    a_vault_that_has_faults: Mode::Answer(500), good_times;
    /// SEC-4: a standby of another data centre.
    a_vault_that_is_a_standby: Mode::Answer(472), budget;
    /// SEC-4: a standby for reading.
    a_vault_that_is_another_standby: Mode::Answer(473), budget;
    /// SEC-4: sealed, or down for maintenance.
    a_vault_that_is_down_for_maintenance: Mode::Answer(503), budget;
    /// SEC-4: answers that end in their middle.
    a_vault_that_hangs_up: Mode::Cut, budget;
    /// SEC-4: answers of a byte a second.
    a_vault_that_is_slow: Mode::Slow, budget;
}

/// SEC-4: the process is gone, and comes back.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_vault_that_is_stopped() {
    check(
        scene().await,
        budget,
        async |server, _| server.kill(),
        async |server, _| server.start_again().await,
    )
    .await;
}

/// SEC-4: the process is frozen: it takes connections and says nothing.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_vault_that_is_frozen() {
    let freeze = async |server: &mut Server, _: &Proxy| server.signal("STOP");
    check(scene().await, budget, freeze, async |server, _| server.signal("CONT")).await;
}

/// SEC-4: sealed by an operator.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_vault_that_is_sealed() {
    let seal = async |server: &mut Server, _: &Proxy| {
        server.ask("PUT", "sys/seal", &json!(null)).await;
    };
    check(scene().await, budget, seal, async |server, _| server.unseal().await).await;
}

/// SEC-1, SEC-4: a certificate that somebody else has signed is not believed; the new signer's is,
/// once it is in the file.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_vault_whose_certificate_is_swapped() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let mut server = Server::start_with(Setup { tls: Some(ours.sign()) }).await;
    server.put("name", &json!({ "key": canary("key") })).await;
    let trusted = server.folder().join("signers.pem");
    std::fs::write(&trusted, ours.certificate()).unwrap();
    let mut config = config(&server);
    config.vault.ca_cert = Some(trusted.clone());
    config.auto_refresh = true;
    config.refresh_interval = core_types::Duration::from_secs(1);
    let (secrets, events) = observed(config.clone());
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), &canary("key"));
    with(&secrets, async {
        server.kill();
        server.set_tls(&theirs.sign());
        server.start_again().await;
        until("it is stale", async || !stale(&events).is_empty()).await;
        assert!(secrets.cached("name", Some("key")).is_some());
        std::fs::write(&trusted, theirs.certificate()).unwrap();
        until("it is believed", async || !secrets.status()[0].stale).await;
    })
    .await;
    // Without the file, the system's signers count, and none of them knows this one.
    config.vault.ca_cert = None;
    config.retries = 0;
    let (stranger, _) = observed(config);
    let error = stranger.get("name", Some("key")).await.unwrap_err();
    assert!(core_types::Chain(&error).to_string().contains("certificate"), "{error:?}");
}

/// SEC-4: what is lent stays until its lease ends, and no longer; then another is asked for.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn what_is_lent_stays_until_its_lease_ends() {
    let (mut server, postgres) = (Server::start().await, Postgres::start().await);
    postgres.lend_by(&server, "5s", "1h").await;
    let mut config = config(&server);
    config.vault.mounts = vec!["database".into()];
    let (secrets, events) = observed(config);
    let cached = || secrets.cached("database/creds/app", Some("password"));
    let start = Instant::now();
    secrets.get("database/creds/app", Some("password")).await.unwrap();
    with(&secrets, async {
        server.kill();
        while start.elapsed() < Duration::from_millis(4800) {
            assert!(cached().is_some(), "after {:?}", start.elapsed());
            sleep(Duration::from_millis(50)).await;
        }
        until("it is over", async || cached().is_none()).await;
        assert_eq!(stale(&events).len(), 1, "told once");
        server.start_again().await;
        until("another is lent", async || cached().is_some()).await;
    })
    .await;
}
