//! A service account's token that ends and is replaced, as the kubelet does it.

use std::time::Duration;

use core_secrets::{ErrorKind, Outcome};
use serde_json::{Value, json};

use crate::canary::canary;
use crate::cluster::Cluster;
use crate::server::Server;
use crate::support::{LIMIT, eventually, lasting, now, read, refused, secrets};

/// So much later than a token says, the server stops to accept it.
const LEEWAY: u64 = 60;

fn ending(server: &Server, account: &Value, left: i64) -> String {
    let mut claims = account.clone();
    claims["iat"] = (now() - 3600).into();
    claims["exp"] = now().saturating_sub(LEEWAY).saturating_add_signed(left).into();
    server.sign(&claims)
}

/// SEC-2, SEC-3: a token that has ended is a refusal, and no passing fault; the value stays. The
/// file is read again when the server refuses the token, and not only after a minute.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask test secrets"]
async fn a_token_that_ended_is_read_anew() {
    let server = Server::shared().await;
    let cluster = Cluster::of(&server);
    cluster.namespace("token").await;
    cluster.secret("token", "db", json!({"password": canary(1)})).await;
    let account = cluster.reader("token", &["db"]).await;
    let file = server.path().join("token");
    std::fs::write(&file, ending(&server, &account, -5)).unwrap();
    let user = format!("{{tokenFile: '{}'}}", file.display());
    let (secrets, _) = secrets(&server.kubeconfig("token.kubeconfig", &user), "token");

    let (kind, told) = refused(&secrets, "db", Some("password")).await;
    assert_eq!(kind, ErrorKind::Denied);
    assert!(told.contains("401"), "{told}");

    std::fs::write(&file, ending(&server, &account, 6)).unwrap();
    assert_eq!(read(&secrets, "db", Some("password")).await, canary(1));
    // The server remembers for ten seconds that a token was good.
    eventually(LIMIT, || async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        secrets.refresh_now().await;
        secrets.status()[0].outcome == Outcome::Failed(ErrorKind::Denied)
    })
    .await;
    assert_eq!(read(&secrets, "db", Some("password")).await, canary(1));

    cluster.change("token", "db", json!({"password": canary(2)})).await;
    std::fs::write(&file, lasting(&server, &account)).unwrap();
    secrets.refresh_now().await;
    assert_eq!(read(&secrets, "db", Some("password")).await, canary(2));
}
