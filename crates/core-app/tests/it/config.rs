use std::time::Duration;

use core_app::Error;
use core_app::config::Commit;

use crate::client::{get, send};
use crate::service::{File, TOKEN, routes, start, with};

/// CFG-6 through the host: a bad edit changes nothing and tells every reason; the next good one
/// applies.
#[tokio::test]
async fn a_reload_is_a_transaction() {
    let file = File::new(r#"{"greeting": "one"}"#);
    let path = file.path().display().to_string();
    let running = start(with(&["--config", &path])).await;
    let (app, ops) = (running.app_address(), running.ops_address());
    let reload = || send(ops, "POST", "/ops/reload", &[TOKEN], "");
    let greeting = || async { get(app, "/greet/x").await.body };
    let successful = || async {
        let metrics = get(ops, "/metrics").await.body;
        metrics.contains("config_last_reload_successful 1")
    };
    assert_eq!(reload().await.json()["status"], "unchanged");

    file.write(r#"{"greeting": "", "http": {"max_in_flight": "many"}, "logging": {"levle": "x"}}"#);
    let refused = reload().await;
    assert_eq!(refused.status, 422);
    let reasons = refused.json()["details"]["reasons"].clone();
    assert_eq!(reasons.as_array().unwrap().len(), 3, "{reasons}");
    assert!(
        reasons.to_string().contains(":1:44: http.max_in_flight: expected a whole number"),
        "{reasons}"
    );
    assert!(reasons.to_string().contains("did you mean `logging.level`?"), "{reasons}");
    assert_eq!(greeting().await, "one");
    assert!(!successful().await);
    assert_eq!(get(ops, "/health").await.json()["checks"]["configuration"]["status"], "degraded");

    file.write(r#"{"greeting": "two", "server": {"grace_period": "60s"}}"#);
    let applied = reload().await.json();
    assert_eq!(applied["status"], "applied");
    assert_eq!(applied["changed"], serde_json::json!(["greeting", "server.grace_period"]));
    assert_eq!(applied["pending_restart"], serde_json::json!(["server.grace_period"]));
    assert_eq!(greeting().await, "two");
    assert!(successful().await);
    assert_eq!(get(ops, "/health").await.json()["checks"]["configuration"]["status"], "healthy");
    running.stop().await;
}

/// CFG-8: what counts after a restart only, and what does not count at all, is said instead of
/// silently doing nothing.
#[tokio::test]
async fn an_edit_that_does_nothing_is_told() {
    let file = File::new("{}");
    let path = file.path().display().to_string();
    let running = start(with(&["--config", &path, "--set", "greeting=set"])).await;
    let ops = running.ops_address();
    let reload = || async { send(ops, "POST", "/ops/reload", &[TOKEN], "").await.json() };
    let pending = || async {
        let metrics = get(ops, "/metrics").await.body;
        let line = metrics.lines().find(|line| line.starts_with("config_pending_restart "));
        line.map(str::to_owned).unwrap_or_default()
    };
    let by = serde_json::json!([{"key": "greeting", "overridden_by": "flag --set greeting"}]);
    file.write(r#"{"greeting": "one"}"#);
    assert_eq!(reload().await["without_effect"], by);
    assert_eq!(reload().await["without_effect"], serde_json::json!([]), "it was told");
    file.write(
        r#"{"greeting": "two", "health": {"rise": 3}, "metrics": {"label_budgets": {"x": 1}}}"#,
    );
    let told = reload().await;
    assert_eq!(told["without_effect"], by);
    assert_eq!(
        told["pending_restart"],
        serde_json::json!(["health.rise", "metrics.label_budgets.x"])
    );
    assert_eq!(pending().await, "config_pending_restart 2");
    file.write(r#"{"greeting": "two"}"#);
    assert_eq!(reload().await["without_effect"], serde_json::json!([]));
    assert_eq!(pending().await, "config_pending_restart 0");
    running.stop().await;
}

/// CFG-6: what a subscriber of the service refuses is refused for the host's own, too.
#[tokio::test]
async fn a_subscriber_refuses_for_all() {
    let file = File::new("{}");
    let path = file.path().display().to_string();
    let running = start(with(&["--config", &path])).await;
    running.host().live().subscribe("picky", |_, new| match new.app.greeting.as_str() {
        "no" => Err("not this one".into()),
        _ => Ok(Commit::nothing()),
    });
    file.write(r#"{"greeting": "no", "http": {"body_limit": "1B"}}"#);
    let refused = running.host().reload().await.unwrap().unwrap_err();
    assert_eq!(refused.reasons, "configuration refused:\n  picky: not this one");
    let echo = send(running.app_address(), "POST", "/echo", &[], "more than a byte").await;
    assert_eq!(echo.status, 200, "the limit has not changed");
    file.write(r#"{"greeting": "yes", "http": {"body_limit": "1B"}}"#);
    assert!(running.host().reload().await.unwrap().is_ok());
    let echo = send(running.app_address(), "POST", "/echo", &[], "more than a byte").await;
    assert_eq!(echo.status, 413);
    running.stop().await;
}

/// An edit is seen and applied by itself, if that is wanted.
#[tokio::test]
async fn an_edit_is_applied_within_two_seconds() {
    let file = File::new("{}");
    let path = file.path().display().to_string();
    let running = start(with(&["--config", &path, "--hot-reload"])).await;
    file.write(r#"{"greeting": "edited"}"#);
    let seen = async {
        while running.host().settings().app.greeting != "edited" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), seen).await.expect("seen in time");
    running.stop().await;
}

/// CFG-4: the host's sections and the service's own are checked together.
#[tokio::test]
async fn a_bad_configuration_refuses_the_start() {
    let error =
        with(&["--set", "greeting=", "--set", "server.shutdown_timeout=1s", "--set", "nothing=1"])
            .start(routes)
            .await
            .unwrap_err();
    let Error::Config(error) = error else { panic!("{error}") };
    let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 3, "{problems:#?}");
}
