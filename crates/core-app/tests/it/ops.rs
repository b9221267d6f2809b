use core_app::App;
use serde_json::json;

use crate::client::{get, send};
use crate::service::{TOKEN, app, routes, start};

/// Without a configured token nobody sees details or changes anything; with one, only its bearer.
#[tokio::test]
async fn details_and_changes_need_the_token() {
    let arguments =
        ["--set", "server.bind_address=127.0.0.1:0", "--set", "ops.bind_address=127.0.0.1:0"];
    let closed = App::new("test", "0")
        .with_settings()
        .with_arguments(arguments)
        .with_environment([("", ""); 0]);
    let closed = closed.start(routes).await.unwrap();
    let open = start(app()).await;
    for (method, path) in [
        ("POST", "/ops/reload"),
        ("POST", "/ops/stop"),
        ("GET", "/ops/config"),
        ("GET", "/ops/log-levels"),
        ("PUT", "/ops/log-levels"),
        ("DELETE", "/ops/log-levels"),
    ] {
        // RFC 9110, section 11.6.1: a 401 says what would be accepted.
        let status = |address, headers: &'static [(&str, &str)]| async move {
            let answer = send(address, method, path, headers, "").await;
            let challenge = answer.headers.get("www-authenticate").map(String::as_str);
            let expected = (answer.status == 401).then_some(r#"Bearer realm="ops""#);
            assert_eq!(challenge, expected, "{method} {path}");
            answer.status
        };
        assert_eq!(status(closed.ops_address(), &[]).await, 403, "{method} {path}");
        assert_eq!(status(closed.ops_address(), &[TOKEN]).await, 403, "{method} {path}");
        assert_eq!(status(open.ops_address(), &[]).await, 401, "{method} {path}");
        let wrong = &[("authorization", "Bearer wrong")];
        assert_eq!(status(open.ops_address(), wrong).await, 401, "{method} {path}");
        // The app's port knows none of them.
        assert_eq!(status(open.app_address(), &[TOKEN]).await, 404, "{method} {path}");
    }
    assert_eq!(get(open.app_address(), "/metrics").await.status, 404);
    closed.stop().await;
    open.stop().await;
}

/// The effective configuration is shown with its origins, and masked.
#[tokio::test]
async fn the_configuration_is_shown_masked() {
    let running = start(app()).await;
    let answer = send(running.ops_address(), "GET", "/ops/config", &[TOKEN], "").await;
    let json = answer.json();
    let setting = |key: &str| {
        let settings = json["settings"].as_array().unwrap().clone();
        settings.into_iter().find(|setting| setting["key"] == key).unwrap()
    };
    assert_eq!(setting("ops.token")["value"], "[REDACTED]");
    assert_eq!(setting("ops.token")["origin"], "variable TEST_OPS_TOKEN");
    assert_eq!(setting("server.bind_address")["origin"], "flag --set server.bind_address");
    assert_eq!(setting("greeting")["origin"], "default");
    assert_eq!(json["generation"], 1);
    assert!(!answer.body.contains("t0ken"));
    running.stop().await;
}

/// HLT-4: reasons are for the bearer of the token, and on the app's port for nobody.
#[tokio::test]
async fn reasons_are_withheld() {
    let running = start(app()).await;
    let component = running.host().health().component("database").unwrap();
    component.degraded("canary");
    let (app, ops) = (running.app_address(), running.ops_address());
    let reason =
        |answer: crate::client::Answer| answer.json()["checks"]["database"].get("reason").cloned();
    assert_eq!(reason(get(ops, "/health").await), None);
    assert_eq!(reason(send(app, "GET", "/health", &[TOKEN], "").await), None);
    assert_eq!(reason(send(ops, "GET", "/health", &[TOKEN], "").await), Some(json!("canary")));
    running.stop().await;
}
