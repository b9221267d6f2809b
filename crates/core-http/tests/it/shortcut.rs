use std::sync::atomic::{AtomicUsize, Ordering};

use axum::{Router, routing::get as route};
use bytes::Bytes;
use core_http::{Config, Outcome, Route, Stack};
use http::{Response, StatusCode};
use tower::Layer as _;

use crate::support::*;

/// Good news at `/probe`, bad news at `/bad`; the long way says `handler`.
fn stack(record: &Record) -> Stack {
    let record = record.clone();
    let stack = Stack::new(Config::default()).unwrap();
    stack.with_observer(move |event| record.observe(event)).with_shortcut(|request| {
        let mut response = Response::new(Bytes::from_static(b"well"));
        match request.uri.path() {
            "/probe" => {}
            "/bad" => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
            "/panic" => panic!("on purpose"),
            _ => return None,
        }
        Some((Route::from("/probe"), response))
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
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let made = send(app, request("HEAD", "/probe", &[])).await;
    assert_eq!(made.header("x-request-id").map(str::len), Some(36));
    assert_eq!(record.kinds(), ["finished", "finished"]);
    let seen = &record.all()[0];
    assert_eq!((seen.method, &*seen.path, &*seen.route), ("GET", "/probe", "/probe"));
    assert_eq!((seen.status, seen.outcome), (Some(200), Some(Outcome::Completed)));
    assert_eq!(seen.response_bytes, 4);
}

/// HTTP-1: bad news, other methods, pages of other origins and panics take the long way.
#[tokio::test]
async fn everything_else_takes_the_long_way() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    let handler = || async { HANDLED.fetch_add(1, Ordering::Relaxed).to_string() };
    let mut app = Router::<()>::new();
    for path in ["/probe", "/bad", "/panic", "/other"] {
        app = app.route(path, route(handler).post(handler));
    }
    let record = Record::default();
    let app = stack(&record).layer(app);
    let origin = [("origin", "https://example.com")];
    for (count, (method, path, headers)) in [
        ("GET", "/bad", &[][..]),
        ("GET", "/panic", &[]),
        ("GET", "/other", &[]),
        ("POST", "/probe", &[]),
        ("GET", "/probe", &origin),
    ]
    .into_iter()
    .enumerate()
    {
        let answer = send(app.clone(), request(method, path, headers)).await;
        assert_eq!(answer.body, count.to_string(), "{method} {path}");
    }
    assert_eq!(record.kinds(), ["started", "finished"].repeat(5));
}
