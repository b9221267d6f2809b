//! A change is heard of when it happens.

use std::sync::{Arc, Mutex};

use core_secrets::Event;
use serde_json::json;

use crate::canary::canary;
use crate::cluster::Cluster;
use crate::server::Server;
use crate::support::{LIMIT, during, eventually, lasting, read, secrets};

/// SEC-4, SEC-5: with the rights of one name and without `list`, a change of a Secret reaches its
/// subscribers long before the interval is over, all keys together, and nothing is read in between.
#[tokio::test]
#[ignore = "needs a real API server: cargo xtask test secrets"]
async fn a_change_is_read_at_once() {
    let server = Server::shared().await;
    let cluster = Cluster::of(&server);
    cluster.namespace("watch").await;
    cluster.secret("watch", "db", json!({"user": canary(1), "password": canary(1)})).await;
    let account = cluster.reader("watch", &["db"]).await;
    let token = lasting(&server, &account);
    let path = server.kubeconfig("watch", &format!("{{token: {token}}}"));
    let (secrets, events) = secrets(&path, "watch");
    read(&secrets, "db", Some("user")).await;
    read(&secrets, "db", Some("password")).await;
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hearing = Arc::clone(&heard);
    let reader = secrets.clone();
    let subscription = secrets.on_rotation("db", Some("password"), move |rotation| {
        let user = reader.cached("db", Some("user")).unwrap();
        let new = rotation.new.expose();
        hearing.lock().unwrap().push((rotation.old.expose().clone(), new.clone(), user));
        Ok(())
    });
    during(&secrets, async {
        for number in 2..=4 {
            let value = canary(number);
            cluster.change("watch", "db", json!({"user": value, "password": value})).await;
            let expected = number - 1;
            eventually(LIMIT, || async { heard.lock().unwrap().len() == expected }).await;
        }
    })
    .await;
    for (number, (old, new, user)) in (2..).zip(heard.lock().unwrap().iter()) {
        assert_eq!(*old, canary(number - 1));
        assert_eq!(*new, canary(number));
        assert_eq!(user.expose(), new, "keys change together");
    }
    let refreshes = |event: &&Event| matches!(event, Event::Refreshed { .. });
    let refreshes = events.lock().unwrap().iter().filter(refreshes).count();
    assert_eq!(refreshes, 2 + 3 * 2, "two keys at first, and both at each change");
    drop(subscription);
}
