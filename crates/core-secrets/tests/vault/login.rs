//! SEC-1, SEC-3: ways in, and how long they last.

use core_secrets::{Config, Error, ErrorKind};
use serde_json::{Value, json};

use crate::canary::canary;
use crate::support::{Authority, Reviewer, SECOND, Server, config, observed, until, with};

/// Tokens that exist, the root's own left out.
async fn tokens(server: &Server) -> usize {
    let known = server.ask("LIST", "auth/token/accessors", &Value::Null).await;
    known["data"]["keys"].as_array().unwrap().len() - 1
}

async fn allow_reading(server: &Server) {
    let policy = json!({ "policy": "path \"secret/*\" { capabilities = [\"read\"] }" });
    server.ask("PUT", "sys/policies/acl/reader", &policy).await;
}

/// A role whose tokens live so long.
async fn with_role(server: &Server, lives: &str, at_most: &str) -> Config {
    allow_reading(server).await;
    server.ask("POST", "sys/auth/approle", &json!({ "type": "approle" })).await;
    let role = json!({
        "token_policies": "reader", "token_ttl": lives, "token_max_ttl": at_most,
    });
    server.ask("POST", "auth/approle/role/app", &role).await;
    let id = server.ask("GET", "auth/approle/role/app/role-id", &Value::Null).await;
    let secret = server.ask("POST", "auth/approle/role/app/secret-id", &json!({})).await;
    let mut config = config(server);
    config.vault.token = None;
    config.vault.auth = core_secrets::VaultAuth::AppRole;
    config.vault.role_id = id["data"]["role_id"].as_str().unwrap().into();
    config.vault.secret_id = Some(secret["data"]["secret_id"].as_str().unwrap().into());
    config
}

/// SEC-1: a token with a line end, as files and variables have it, is a token; vaultrs' own client
/// panics.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_token_may_end_in_a_line_end() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": canary("key") })).await;
    let mut config = config(&server);
    config.vault.token = Some(format!("{}\n", server.root_token()).into());
    let (secrets, _) = observed(config.clone());
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), &canary("key"));

    let path = server.folder().join("token");
    std::fs::write(&path, format!("{}\r\n", server.root_token())).unwrap();
    (config.vault.token, config.vault.token_file) = (None, Some(path));
    let (secrets, _) = observed(config);
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), &canary("key"));
}

/// SEC-3: one login serves all, is prolonged, and is ended by the one who made it.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_login_is_made_once_and_prolonged() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": canary("key") })).await;
    let mut config = with_role(&server, "2s", "1h").await;
    config.auto_refresh = true;
    config.refresh_interval = core_types::Duration::from_secs(1);
    let (secrets, events) = observed(config);
    let all = (0..20).map(|_| secrets.get("name", Some("key")));
    for got in futures_util::future::join_all(all).await {
        assert_eq!(got.unwrap().expose(), &canary("key"));
    }
    assert_eq!(tokens(&server).await, 1, "one login for all");
    with(&secrets, tokio::time::sleep(SECOND * 7)).await;
    assert_eq!(tokens(&server).await, 1, "no other login in three times its life");
    let failed =
        |event: &core_secrets::Event| matches!(event, core_secrets::Event::RefreshFailed { .. });
    assert!(!events.lock().unwrap().iter().any(failed));
    secrets.close().await;
    assert_eq!(tokens(&server).await, 0, "logged out");
}

/// SEC-3: a login that nears its last end is made again before; a token that an operator gave is
/// prolonged, and not ended.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_login_is_made_again_before_its_last_end() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": canary("key") })).await;
    let mut config = with_role(&server, "2s", "5s").await;
    config.auto_refresh = true;
    config.refresh_interval = core_types::Duration::from_secs(1);
    let (by_role, events) = observed(config.clone());
    by_role.get("name", Some("key")).await.unwrap();

    let body = json!({ "policies": ["reader"], "ttl": "2s", "no_parent": true });
    let made = server.ask("POST", "auth/token/create", &body).await;
    config.vault.auth = core_secrets::VaultAuth::Token;
    config.vault.token = Some(made["auth"]["client_token"].as_str().unwrap().into());
    let (by_token, more) = observed(config);
    by_token.get("name", Some("key")).await.unwrap();

    with(&by_role, with(&by_token, tokio::time::sleep(SECOND * 9))).await;
    for events in [events, more] {
        let failed = |event: &core_secrets::Event| {
            matches!(event, core_secrets::Event::RefreshFailed { .. })
        };
        assert!(!events.lock().unwrap().iter().any(failed), "{:?}", events.lock().unwrap());
    }
    by_role.close().await;
    by_token.close().await;
    let body = json!({ "token": made["auth"]["client_token"] });
    server.ask("POST", "auth/token/lookup", &body).await;
}

/// SEC-2, SEC-3: a login that was ended behind our back is made again by the next reads, once for all.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_login_that_is_gone_is_made_again() {
    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
    let server = Server::start().await;
    let put = async |value: &str| {
        for name in NAMES {
            server.put(name, &json!({ "key": canary(value) })).await;
        }
    };
    put("old").await;
    let (secrets, _) = observed(with_role(&server, "1h", "1h").await);
    for name in NAMES {
        assert_eq!(secrets.get(name, Some("key")).await.unwrap().expose(), &canary("old"));
    }
    let own = server.ask("GET", "auth/token/lookup-self", &Value::Null).await;
    let known = server.ask("LIST", "auth/token/accessors", &Value::Null).await;
    for accessor in known["data"]["keys"].as_array().unwrap() {
        if *accessor != own["data"]["accessor"] {
            let body = json!({ "accessor": accessor });
            server.ask("POST", "auth/token/revoke-accessor", &body).await;
        }
    }
    assert_eq!(tokens(&server).await, 0);
    put("new").await;
    // Within a minute of a login, a refusal is not taken for its end.
    tokio::time::pause();
    tokio::time::advance(SECOND * 61).await;
    tokio::time::resume();
    secrets.refresh_now().await;
    for name in NAMES {
        assert_eq!(secrets.get(name, Some("key")).await.unwrap().expose(), &canary("new"));
    }
    assert_eq!(tokens(&server).await, 1, "one login for all");
}

/// SEC-2, SEC-3: a path that is denied is no reason to log in again.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_path_that_is_denied_makes_no_other_login() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": canary("key") })).await;
    server.ask("POST", "sys/mounts/other", &json!({ "type": "kv" })).await;
    let mut config = with_role(&server, "1h", "1h").await;
    config.vault.mounts = vec!["other".into()];
    let (secrets, _) = observed(config);
    secrets.get("name", Some("key")).await.unwrap();
    let denied = secrets.get("other/name", Some("key")).await.unwrap_err();
    let Error::Backend { source, .. } = denied else { panic!("{denied}") };
    assert_eq!(source.kind(), ErrorKind::Denied);
    assert_eq!(tokens(&server).await, 1);
}

/// SEC-1, SEC-3: a pod logs in with the token of its service account, read at each login.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_pod_logs_in_with_its_service_account() {
    let (server, reviewer) = (Server::start().await, Reviewer::start().await);
    allow_reading(&server).await;
    server.put("name", &json!({ "key": canary("key") })).await;
    server.ask("POST", "sys/auth/kubernetes", &json!({ "type": "kubernetes" })).await;
    let api = json!({
        "kubernetes_host": reviewer.url(), "token_reviewer_jwt": Reviewer::token(0), "disable_iss_validation": true,
        "disable_local_ca_jwt": true, "kubernetes_ca_cert": Authority::new().certificate(),
    });
    server.ask("POST", "auth/kubernetes/config", &api).await;
    let role = json!({
        "bound_service_account_names": "app", "bound_service_account_namespaces": "default",
        "token_policies": "reader", "token_ttl": "2s", "token_max_ttl": "3s",
    });
    server.ask("POST", "auth/kubernetes/role/app", &role).await;
    let path = server.folder().join("service-account-token");
    std::fs::write(&path, Reviewer::token(1)).unwrap();
    let mut config = config(&server);
    config.vault.token = None;
    config.vault.auth = core_secrets::VaultAuth::Kubernetes;
    config.vault.role = "app".into();
    config.vault.service_account_token_file = path.clone();
    let (secrets, _) = observed(config);
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), &canary("key"));
    std::fs::write(&path, Reviewer::token(2)).unwrap();
    with(&secrets, until("another login", async || reviewer.seen().len() > 1)).await;
    assert_eq!(reviewer.seen()[..2], [Reviewer::token(1), Reviewer::token(2)]);
}

/// SEC-3: leases end with the login under which they were given: before that, others are taken.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn leases_outlive_no_login() {
    let (server, postgres) = (Server::start().await, crate::support::Postgres::start().await);
    postgres.lend_by(&server, "1h", "24h").await;
    let mut config = with_role(&server, "3s", "6s").await;
    let policy = json!({ "policy": "path \"database/creds/app\" { capabilities = [\"read\"] }" });
    server.ask("PUT", "sys/policies/acl/reader", &policy).await;
    config.vault.mounts = vec!["database".into()];
    let (secrets, _) = observed(config);
    let get =
        async |key| secrets.get("database/creds/app", Some(key)).await.unwrap().expose().clone();
    let first = get("username").await;
    with(&secrets, async {
        let start = tokio::time::Instant::now();
        while start.elapsed() < SECOND * 14 {
            let (name, password) = (get("username").await, get("password").await);
            assert!(postgres.admits(&name, &password).await, "after {:?}", start.elapsed());
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    })
    .await;
    assert_ne!(get("username").await, first);
    secrets.close().await;
}
