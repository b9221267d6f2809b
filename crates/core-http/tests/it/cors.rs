use axum::body::Body;
use core_http::{Config, Stack};
use http::Response;
use tower::Layer as _;

use crate::support::*;

const ORIGIN: &str = "https://example.com";

fn stack(change: impl FnOnce(&mut core_http::Cors)) -> Stack {
    let config = config(|config| {
        config.cors.allowed_origins = vec![ORIGIN.into(), "http://localhost:3000".into()];
        change(&mut config.cors);
    });
    Stack::new(config).unwrap()
}

async fn sent(stack: &Stack, method: &str, headers: &[(&str, &str)]) -> Answer {
    let service = stack.layer(answering(|_| Response::new(Body::from("handled"))));
    send(service, request(method, "/", headers)).await
}

fn cors_headers(answer: &Answer) -> Vec<String> {
    let names = answer.headers.keys().map(ToString::to_string);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

/// HTTP-3: a preflight is answered by the stack, with what the settings allow.
#[tokio::test]
async fn preflights_are_answered() {
    let stack = stack(|cors| cors.allow_credentials = true);
    let headers = [("origin", ORIGIN), ("access-control-request-method", "PUT")];
    let answer = sent(&stack, "OPTIONS", &headers).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
    assert_eq!(
        answer.header("access-control-allow-methods"),
        Some("GET, HEAD, POST, PUT, PATCH, DELETE")
    );
    assert!(answer.header("access-control-allow-headers").unwrap().contains("content-type"));
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
    assert_eq!(answer.header("access-control-max-age"), Some("600"));
    assert_eq!(answer.header("vary"), Some("origin"));
    assert!(answer.header("x-request-id").is_some());
    // An OPTIONS that is no preflight is the handler's.
    assert_eq!(&*sent(&stack, "OPTIONS", &[("origin", ORIGIN)]).await.body, b"handled");
}

/// HTTP-3: an answer can be read by pages of allowed origins, failures too.
#[tokio::test]
async fn allowed_origins_may_read() {
    for origin in [ORIGIN, "http://localhost:3000"] {
        let answer = sent(&stack(|_| {}), "GET", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(
            answer.header("access-control-expose-headers"),
            Some("x-request-id, x-error-id, retry-after")
        );
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    let failing = stack(|_| {}).layer(answering(|_| panic!("on purpose")));
    let answer = send(failing, request("GET", "/", &[("origin", ORIGIN)])).await;
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN));
}

/// HTTP-3: a refused origin gets no CORS headers, and is compared letter by letter.
#[tokio::test]
async fn other_origins_get_nothing() {
    for origin in [
        "https://example.com.evil.example",
        "https://evil.example",
        "http://example.com",
        "https://example.com:8443",
        "HTTPS://EXAMPLE.COM",
        "null",
        "*",
    ] {
        for method in ["GET", "OPTIONS"] {
            let headers = [("origin", origin), ("access-control-request-method", "PUT")];
            let answer = sent(&stack(|_| {}), method, &headers).await;
            assert!(answer.status.is_success());
            assert_eq!(cors_headers(&answer), [""; 0], "{origin}");
            assert_eq!(answer.header("vary"), Some("origin"), "caches must know");
        }
    }
    // Neither does a request without an origin, but caches are told.
    let answer = sent(&stack(|_| {}), "GET", &[]).await;
    assert_eq!((cors_headers(&answer).len(), answer.header("vary")), (0, Some("origin")));
}

#[tokio::test]
async fn every_origin_gets_the_same_answer() {
    let stack = stack(|cors| cors.allowed_origins = vec!["*".into()]);
    let answer = sent(&stack, "GET", &[("origin", "https://anybody.example")]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("vary"), None);
}

/// HTTP-3: off by default; then preflights are the handler's.
#[tokio::test]
async fn cors_is_off_by_default() {
    let stack = Stack::new(Config::default()).unwrap();
    let headers = [("origin", ORIGIN), ("access-control-request-method", "PUT")];
    let answer = sent(&stack, "OPTIONS", &headers).await;
    assert_eq!((&*answer.body, cors_headers(&answer).len()), (&b"handled"[..], 0));
    assert_eq!(answer.header("vary"), None);
}

/// HTTP-3: a handler that answers for itself is left alone.
#[tokio::test]
async fn the_handlers_own_cors_stays() {
    let service = stack(|cors| cors.allow_credentials = true).layer(answering(|_| {
        let builder = Response::builder().header("access-control-allow-origin", "*");
        builder.header("vary", "accept, Origin").body(Body::empty()).unwrap()
    }));
    let answer = send(service, request("GET", "/", &[("origin", ORIGIN)])).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(cors_headers(&answer).len(), 1);
    assert_eq!(answer.header("vary"), Some("accept, Origin"));
}
