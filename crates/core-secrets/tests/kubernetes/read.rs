//! Reading, with as few rights as the documentation asks for.

use core_secrets::ErrorKind;
use serde_json::json;

use crate::canary::canary;
use crate::cluster::Cluster;
use crate::server::Server;
use crate::support::{lasting, read, refused, secrets};

/// SEC-1, SEC-2: a service account with a Role of one name and the verbs `get` and `watch` reads its
/// Secret; another one is denied, a missing one is not found, and both are final.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask test secrets"]
async fn one_name_in_a_role_suffices() {
    let server = Server::shared().await;
    let cluster = Cluster::of(&server);
    cluster.namespace("read").await;
    cluster.secret("read", "db", json!({"user": canary("u"), "password": canary("p\n")})).await;
    cluster.secret("read", "other", json!({"password": canary("o")})).await;
    let account = cluster.reader("read", &["db", "missing"]).await;
    let token = lasting(&server, &account);
    let (secrets, _) = secrets(&server.kubeconfig("read", &format!("{{token: {token}}}")), "read");

    assert_eq!(read(&secrets, "db", Some("password")).await, canary("p"));
    assert_eq!(read(&secrets, "kubernetes/db", Some("user")).await, canary("u"));
    let (kind, told) = refused(&secrets, "other", Some("password")).await;
    assert_eq!(kind, ErrorKind::Denied);
    assert!(told.contains("403") && told.contains("cannot get resource"), "{told}");
    let (kind, told) = refused(&secrets, "missing", None).await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(told.contains("404"), "{told}");
    assert_eq!(refused(&secrets, "db", Some("missing")).await.0, ErrorKind::NotFound);
    assert_eq!(refused(&secrets, "db", None).await.0, ErrorKind::Invalid, "it has two keys");
    assert_eq!(refused(&secrets, "a/b", None).await.0, ErrorKind::Invalid);
}
