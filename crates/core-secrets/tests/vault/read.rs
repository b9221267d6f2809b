//! SEC-1: what a real Vault holds is read.

use core_secrets::Error;
use serde_json::json;

use crate::canary::canary;
use crate::support::{Server, config, observed};

/// SEC-1: both versions of KV, found out for each engine; values that are no text; a version that
/// was deleted; an engine that is not named.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn both_versions_of_kv_are_read() {
    let server = Server::start().await;
    server
        .put("app/database", &json!({ "user": "app", "password": canary(1), "port": 5432 }))
        .await;
    server.ask("POST", "sys/mounts/team/old", &json!({ "type": "kv" })).await;
    server.ask("POST", "team/old/mail", &json!({ "password": canary(2) })).await;
    let mut config = config(&server);
    config.vault.mounts = vec!["team/old".into()];
    let (secrets, _) = observed(config);
    let get =
        async |path, key| secrets.get(path, Some(key)).await.map(|value| value.expose().clone());
    assert_eq!(get("app/database", "password").await.unwrap(), canary(1));
    assert_eq!(get("app/database", "port").await.unwrap(), "5432");
    assert_eq!(get("team/old/mail", "password").await.unwrap(), canary(2));

    server.ask("DELETE", "secret/data/app/database", &json!(null)).await;
    let (secrets, _) = observed(crate::support::config(&server));
    let error = secrets.get("app/database", Some("password")).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let error = secrets.get("team/old/mail", Some("password")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret://team/old/mail:password was not found: `vault`: nothing at \
         secret/data/team/old/mail; engines beside `secrets.vault.mount_point` are named in \
         `secrets.vault.mounts`"
    );
}
