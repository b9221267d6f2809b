//! Secrets from a real Vault, through the whole of Mira.

use serde_json::json;

use self::support::Server;
use self::support::canary::canary;
use crate::client::{get, send};
use crate::mira::{Mira, TOKEN, command, output};
use crate::webhooks::{BODY, github, signature};

/// The server of the tests of `core-secrets`.
#[allow(dead_code, reason = "the tests there use more of it")]
#[path = "../../../../crates/core-secrets/tests/vault/support"]
pub(crate) mod support {
    pub(crate) mod canary;
    mod http;
    mod process;
    mod server;
    mod until;

    pub(crate) use self::server::Server;
    use self::until::until;
}

/// CFG-2: the short names of Vault's settings, and the names of Vault's own tools below every file.
#[test]
fn vaults_settings_have_short_names() {
    let file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    std::fs::write(file.path(), r#"{"secrets": {"vault": {"namespace": "of-the-file"}}}"#).unwrap();
    let mut mira = command(&["--config", file.path().to_str().unwrap(), "--print-config"]);
    let (code, stdout, stderr) = output(mira.envs([
        ("MIRA_VAULT_URL", "https://short"),
        ("VAULT_ADDR", "https://long"),
        ("MIRA_VAULT_TOKEN", "canary"),
        ("VAULT_NAMESPACE", "of-the-machine"),
        ("VAULT_CACERT", "/etc/signers.pem"),
    ]));
    assert_eq!(code, Some(0), "{stderr}");
    let line = |key: &str| {
        let line = stdout.lines().find(|line| line.starts_with(key));
        line.unwrap_or_else(|| panic!("no {key} in {stdout}")).to_owned()
    };
    let url = line("secrets.vault.url");
    assert!(url.contains("https://short") && url.contains("MIRA_VAULT_URL"), "{url}");
    assert!(line("secrets.vault.token").contains("MIRA_VAULT_TOKEN"));
    assert!(line("secrets.vault.namespace").contains("of-the-file"));
    let signers = line("secrets.vault.ca_cert");
    assert!(signers.contains("/etc/signers.pem") && signers.contains("VAULT_CACERT"), "{signers}");
    assert!(!stdout.contains("canary"));
}

/// SEC-1, SEC-4, SEC-5, SEC-6, CFG-10: the guide's blocks; a webhook's secret that is changed in
/// Vault is the one that counts; without Vault all goes on, and health and metrics tell.
#[test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
fn a_webhooks_secret_is_changed_in_vault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut server = runtime.block_on(Server::start());
    let put = |server: &Server, secret: &str| {
        let secret = json!({ "webhook": canary(secret) });
        runtime.block_on(server.put("github-credentials", &secret));
    };
    put(&server, "old");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let config = json!({
        "logging": { "level": "debug" },
        "secrets": {
            "backend": "vault", "auto_refresh": true, "refresh_interval": 1,
            "vault": { "url": server.url(), "mount_point": "secret" },
        },
        "integrations": { "github": { "webhook_secret": "secret://github-credentials:webhook" } },
    });
    std::fs::write(&path, config.to_string()).unwrap();
    let variables = [("MIRA_VAULT_TOKEN", server.root_token())];
    let mira = Mira::start_with(&["--config", path.to_str().unwrap()], &variables);
    let app = mira.app();
    let deliver = |secret: &str, delivery: &str| {
        github(&app, Some(&signature(&canary(secret), BODY)), delivery, BODY).status
    };
    assert_eq!((deliver("old", "d-1"), deliver("new", "d-2")), (202, 401));
    put(&server, "new");
    mira.wait_for_message("Configuration reloaded successfully");
    assert_eq!((deliver("old", "d-3"), deliver("new", "d-4")), (401, 202));

    server.kill();
    mira.wait_for_message("secret is stale");
    let told =
        mira.wait_for("health", |line| line["check"] == "secrets" && line["is"] == "degraded");
    assert_eq!(told["reason"], "not refreshed in time: github-credentials:webhook");
    assert_eq!(deliver("new", "d-5"), 202);
    assert_eq!(get(&app, "/health/ready").status, 200, "it takes no traffic away");
    mira.wait_for_message("secret cannot be read");
    let token = [("authorization", &*format!("Bearer {TOKEN}"))];
    let metrics = send(&mira.ops(), "GET", "/metrics", &token, "").body;
    assert!(
        metrics.contains(r#"secret_refreshes_total{backend="vault",outcome="unavailable"}"#),
        "{metrics}"
    );
    runtime.block_on(server.start_again());
    mira.wait_for("health", |line| {
        line["check"] == "secrets" && line["is"] == "healthy" && line["was"] == "degraded"
    });

    mira.signal("TERM");
    let (status, lines, stderr) = mira.end();
    assert!(status.success());
    let said = serde_json::to_string(&lines).unwrap() + &stderr + &metrics;
    assert!(!said.contains("canary") && !said.contains(server.root_token()));
}
