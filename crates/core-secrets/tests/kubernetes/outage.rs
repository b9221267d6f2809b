//! An API server that is killed and started again.

use core_secrets::{ErrorKind, Event, Outcome};
use serde_json::json;

use crate::canary::canary;
use crate::cluster::Cluster;
use crate::server::{Server, admin};
use crate::support::{LIMIT, during, eventually, read, refused, secrets};

/// SEC-2, SEC-4: while the server is down the value stays and the failure is a passing one; when it
/// is back, a watch hears of the next change by itself.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask test secrets"]
async fn a_restart_of_the_server_costs_nothing() {
    let server = Server::start().await;
    let cluster = Cluster::of(&server);
    cluster.namespace("outage").await;
    cluster.secret("outage", "db", json!({"password": canary(1)})).await;
    let path = server.kubeconfig("outage", &format!("{{token: {}}}", admin()));
    let (secrets, events) = secrets(&path, "outage");
    assert_eq!(read(&secrets, "db", Some("password")).await, canary(1));

    let value = || secrets.cached("db", Some("password")).unwrap().expose().clone();
    during(&secrets, async {
        cluster.change("outage", "db", json!({"password": canary(2)})).await;
        eventually(LIMIT, || async { value() == canary(2) }).await;

        server.down();
        secrets.refresh_now().await;
        assert_eq!(value(), canary(2));
        assert_eq!(secrets.status()[0].outcome, Outcome::Failed(ErrorKind::Unavailable));
        let (kind, told) = refused(&secrets, "cold", None).await;
        assert_eq!(kind, ErrorKind::Unavailable);
        assert!(told.contains("cannot reach the API server"), "{told}");

        server.up().await;
        cluster.change("outage", "db", json!({"password": canary(3)})).await;
        eventually(LIMIT, || async { value() == canary(3) }).await;
        assert_eq!(secrets.status()[0].outcome, Outcome::Changed);
    })
    .await;
    let events = events.lock().unwrap();
    let rotations = events.iter().filter(|event| matches!(event, Event::Rotated { .. }));
    assert_eq!(rotations.count(), 2);
}
