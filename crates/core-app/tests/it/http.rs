use crate::client::{get, send};
use crate::service::{app, start, with};

/// HTTP-1, HTTP-2, HTTP-3 through the whole host: every answer has its id and headers, every failure
/// one shape.
#[tokio::test]
async fn every_answer_has_its_manners() {
    let running = start(with(&["--set", "http.body_limit=1KiB"])).await;
    let (app, ops) = (running.app_address(), running.ops_address());
    let long = "x".repeat(2000);
    for (address, method, path, body, status, code) in [
        (app, "GET", "/nothing", "", 404, "NOT_FOUND"),
        (app, "DELETE", "/echo", "", 405, "METHOD_NOT_ALLOWED"),
        (app, "POST", "/echo", long.as_str(), 413, "PAYLOAD_TOO_LARGE"),
        (app, "GET", "/panic", "", 500, "INTERNAL_ERROR"),
        (ops, "GET", "/nothing", "", 404, "NOT_FOUND"),
        (ops, "PUT", "/ops/reload", "", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let answer = send(address, method, path, &[], body).await;
        assert_eq!(answer.status, status, "{path}");
        let json = answer.json();
        assert_eq!(json["error_code"], code, "{path}");
        for member in ["error_id", "message", "timestamp", "details"] {
            assert!(json.get(member).is_some(), "{path}: {member}");
        }
        assert!(!answer.body.contains("on purpose"), "{path}: internals stay inside");
        assert_eq!(answer.headers["x-request-id"].len(), 36, "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
    }
    for (address, path) in
        [(app, "/greet/x"), (app, "/health"), (ops, "/health"), (ops, "/metrics")]
    {
        let answer = send(address, "GET", path, &[("x-request-id", "client-1")], "").await;
        assert_eq!(
            (answer.status, answer.headers["x-request-id"].as_str()),
            (200, "client-1"),
            "{path}"
        );
    }
    running.stop().await;
}

/// MET-4, MET-1: requests are counted by route template, never by path.
#[tokio::test]
async fn requests_are_counted_by_template() {
    let running = start(app()).await;
    for name in ["a", "b", "c"] {
        get(running.app_address(), &format!("/greet/{name}")).await;
        get(running.app_address(), &format!("/{name}")).await;
    }
    let metrics = get(running.ops_address(), "/metrics").await.body;
    for line in [
        r#"http_requests_total{listener="app",method="GET",route="/greet/{name}",status="200"} 3"#,
        r#"http_requests_total{listener="app",method="GET",route="unmatched",status="404"} 3"#,
        r#"build_info{name="test",version="1.2.3"} 1"#,
        "config_last_reload_successful 1",
        "process_open_fds ",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(!metrics.contains("/greet/a"));
    running.stop().await;
}

/// The app is reached by HTTP/2 with prior knowledge too, as gRPC clients do.
#[tokio::test]
async fn http_2_is_spoken() {
    let running = start(app()).await;
    let stream = tokio::net::TcpStream::connect(running.app_address()).await.unwrap();
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, String>(executor, io).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("http://test/greet/x").body(String::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.status(), 200);
    drop((sender, response));
    running.stop().await;
    connection.await.unwrap().unwrap();
}
