use core_app::health::Report;
use core_app::types::Chain;

use crate::client::{get, send};
use crate::service::{app, routes, start};

/// HLT-5: the host's own checks are there before the service adds its own.
#[tokio::test]
async fn the_hosts_own_checks_are_there() {
    let running = start(app()).await;
    let checks = get(running.ops_address(), "/health").await.json()["checks"].clone();
    let names: Vec<_> = checks.as_object().unwrap().keys().collect();
    assert_eq!(names, ["configuration", "secrets", "shutdown", "start"]);
    running.stop().await;
}

/// HLT-4: on both ports, a HEAD gets the head that a GET gets.
#[tokio::test]
async fn a_head_is_that_of_a_get() {
    let running = start(app()).await;
    for address in [running.ops_address(), running.app_address()] {
        let ask = async |method| {
            let accept = [("accept", "text/plain")];
            let mut answer = send(address, method, "/health/live", &accept, "").await;
            assert!(answer.headers.remove("x-request-id").is_some_and(|id| id.len() == 36));
            answer.headers.remove("date");
            answer
        };
        let (get, head) = (ask("GET").await, ask("HEAD").await);
        assert_eq!((get.status, &*get.body, &*head.body), (200, "healthy", ""));
        assert_eq!((head.status, head.headers), (get.status, get.headers));
    }
    running.stop().await;
}

/// HLT-6: changes are counted by what the check became, and kept.
#[tokio::test]
async fn changes_are_counted() {
    let running = start(app()).await;
    let component = running.host().health().component("database").unwrap();
    for _ in 0..2 {
        component.degraded("slow");
        component.degraded("slow");
        component.healthy();
    }
    let metrics = get(running.ops_address(), "/metrics").await.body;
    for (to, count) in [("healthy", 2), ("degraded", 2)] {
        let sample =
            format!("health_check_transitions_total{{check=\"database\",to=\"{to}\"}} {count}\n");
        assert!(metrics.contains(&sample), "{metrics}");
    }
    let history = running.host().health().history();
    assert_eq!(history.iter().filter(|change| &*change.check == "database").count(), 4);
    running.stop().await;
}

/// HLT-5: a group that names a check that is not there refuses the start.
#[tokio::test]
async fn an_unknown_name_in_a_group_refuses_the_start() {
    let error = app()
        .start(async |host| {
            host.health().check("database", async || Report::healthy())?;
            host.health().group("reading", &["database", "configuration"])?;
            host.health().group("ordering", &["databse"])?;
            routes(host).await
        })
        .await
        .unwrap_err();
    let text = Chain(&error).to_string();
    assert!(text.contains("group `ordering` names the check `databse`"), "{text}");
}
