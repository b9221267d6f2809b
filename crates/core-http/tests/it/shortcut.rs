use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, routing::get as route};
use bytes::Bytes;
use core_http::{Config, Outcome, Peer, Shortcut, Stack};
use http::{HeaderValue, StatusCode};
use tower::Layer as _;

use crate::support::*;

/// A short way at `/probe`.
fn stack(record: &Record) -> Stack {
    let record = record.clone();
    let stack = Stack::new(Config::default()).unwrap();
    stack.with_observer(move |event| record.observe(event)).with_shortcut(|request| {
        match request.uri.path() {
            "/probe" => Some(Shortcut {
                route: "/probe",
                content_type: HeaderValue::from_static("text/plain"),
                body: Bytes::from_static(b"well"),
            }),
            "/panic" => panic!("on purpose"),
            _ => None,
        }
    })
}

/// HTTP-1, HTTP-3: the short way has the id and the security headers too, and is reported once.
#[tokio::test]
async fn a_shortcut_has_its_manners() {
    let record = Record::default();
    let app = stack(&record).layer(Router::<()>::new());
    let answer = send(app.clone(), request("GET", "/probe", &[("x-request-id", "r-1")])).await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"well"[..]));
    assert_eq!(answer.header("x-request-id"), Some("r-1"));
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("strict-transport-security"), None);
    let mut by_tls = get("/probe");
    by_tls.extensions_mut().insert(Peer { address: ([127, 0, 0, 1], 1).into(), https: true });
    let made = send(app, by_tls).await;
    assert_eq!(
        made.header("strict-transport-security"),
        Some("max-age=31536000; includeSubDomains")
    );
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    assert_eq!(record.kinds(), ["finished", "finished"]);
    let seen = &record.all()[0];
    assert_eq!((seen.method, &*seen.path, &*seen.route), ("GET", "/probe", "/probe"));
    assert_eq!((seen.status, seen.outcome), (Some(200), Some(Outcome::Completed)));
    assert_eq!(seen.response_bytes, 4);
}

/// HTTP-1: what has none, other methods, pages of other origins and panics take the long way.
#[tokio::test]
async fn everything_else_takes_the_long_way() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    let handler = || async { HANDLED.fetch_add(1, Ordering::Relaxed).to_string() };
    let mut app = Router::<()>::new();
    for path in ["/probe", "/panic", "/other"] {
        app = app.route(path, route(handler).post(handler));
    }
    let record = Record::default();
    let app = stack(&record).layer(app);
    let origin = [("origin", "https://example.com")];
    for (count, (method, path, headers)) in [
        ("GET", "/panic", &[][..]),
        ("GET", "/other", &[]),
        ("HEAD", "/probe", &[]),
        ("POST", "/probe", &[]),
        ("GET", "/probe", &origin),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = send(app.clone(), request(method, path, headers)).await;
        let handled = if method == "HEAD" { String::new() } else { count.to_string() };
        assert_eq!(answer.body, handled, "{method} {path}");
    }
    assert_eq!(record.kinds(), ["started", "finished"].repeat(5));
}
