//! What vaultrs' own client does wrong, and this backend does not.

use std::process::Command;
use std::sync::{Arc, Mutex};

use core_secrets::backend::Vault;
use serde_json::json;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use crate::canary::canary;
use crate::support::{Mode, Proxy, Server, config, observed};

/// SEC-1: a variable that is empty turns no check of certificates off, as it does for vaultrs.
#[test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
fn no_variable_turns_checks_off() {
    // A variable is the whole process': the test of certificates runs again in one of its own.
    let test = "outage::a_vault_whose_certificate_is_swapped";
    let mut again = Command::new(std::env::current_exe().unwrap());
    let ran = again.args(["--ignored", "--exact", test]).env("VAULT_SKIP_VERIFY", "").output();
    let ran = ran.unwrap();
    let output = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && output.contains("1 passed"), "{output}");
}

/// SEC-6: what is logged, by level.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<(Level, String)>>>);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = format!("{} {event:?}", event.metadata().target());
        self.0.lock().unwrap().push((*event.metadata().level(), line));
    }
}

/// SEC-6: a secret that is not there is no error in the log, and nothing that is said at any level
/// holds a secret or the token.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn the_log_is_quiet_and_holds_no_secret() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": canary("key") })).await;
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    let _default = tracing::subscriber::set_default(subscriber);
    let (secrets, _) = observed(config(&server));
    secrets.get("name", Some("key")).await.unwrap();
    secrets.get("missing", Some("key")).await.unwrap_err();
    secrets.get("name", Some("missing")).await.unwrap_err();
    secrets.close().await;
    let lines = lines.0.lock().unwrap();
    assert!(!lines.iter().any(|(level, _)| *level <= Level::INFO), "{lines:?}");
    for (_, line) in lines.iter() {
        assert!(!line.contains("canary") && !line.contains(server.root_token()), "{line}");
    }
}

/// SEC-6: no debug output shows the token.
#[test]
fn debug_output_shows_no_token() {
    let mut config = core_secrets::VaultConfig::default();
    config.token = Some(canary(1).into());
    config.secret_id = Some(canary(2).into());
    let vault = Vault::new(&config).unwrap();
    let shown = format!("{config:?} {vault:?} {vault:#?}");
    assert!(!shown.contains("canary"), "{shown}");
}

/// SEC-1: the namespace goes with every request; no server without Enterprise knows any.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn the_namespace_goes_with_every_request() {
    let server = Server::start().await;
    let proxy = Proxy::before(server.port()).await;
    proxy.set(Mode::Answer(400));
    let mut config = config(&server);
    config.vault.url = proxy.url();
    config.vault.namespace = "team/a/".into();
    let (secrets, _) = observed(config);
    secrets.get("name", Some("key")).await.unwrap_err();
    let requests = proxy.requests();
    assert!(!requests.is_empty());
    for head in requests {
        assert!(head.contains("x-vault-namespace: team/a\r\n"), "{head}");
        assert!(head.contains("x-vault-request: true"), "{head}");
    }
}
