//! SEC-1, SEC-3: ways in, and how long they last.

use serde_json::json;

use crate::support::{Server, config, observed};

/// SEC-1: a token with a line end, as files and variables have it, is a token; vaultrs' own client
/// panics.
#[tokio::test]
#[ignore = "needs a real Vault: cargo xtask test secrets"]
async fn a_token_may_end_in_a_line_end() {
    let server = Server::start().await;
    server.put("name", &json!({ "key": "canary" })).await;
    let mut config = config(&server);
    config.vault.token = Some(format!("{}\n", server.root_token()).into());
    let (secrets, _) = observed(config.clone());
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), "canary");

    let path = server.folder().join("token");
    std::fs::write(&path, format!("{}\r\n", server.root_token())).unwrap();
    (config.vault.token, config.vault.token_file) = (None, Some(path));
    let (secrets, _) = observed(config);
    assert_eq!(secrets.get("name", Some("key")).await.unwrap().expose(), "canary");
}
