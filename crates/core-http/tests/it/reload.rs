use std::sync::Arc;

use axum::body::Body;
use core_http::{Config, Shortcut, Stack};
use core_types::ByteSize;
use http::{HeaderValue, Response};
use tokio::sync::Notify;
use tower::{Layer as _, Service as _};

use crate::support::*;

fn framed(value: &str) -> Config {
    config(|config| config.security_headers.frame_options = value.into())
}

/// CFG-6: prepared changes nothing, committed changes what comes next, refused keeps the old.
#[tokio::test]
async fn a_configuration_is_swapped_as_one() {
    let stack = Stack::new(framed("DENY")).unwrap().with_shortcut(|request| {
        (request.uri.path() == "/probe").then(|| Shortcut {
            route: "/probe",
            content_type: HeaderValue::from_static("text/plain"),
            body: bytes::Bytes::new(),
        })
    });
    let service = stack.layer(answering(|_| Response::new(Body::empty())));
    let now = async || {
        let ask = async |path| send(service.clone(), get(path)).await;
        let (long, short) = (ask("/").await, ask("/probe").await);
        assert_eq!(long.header("x-frame-options"), short.header("x-frame-options"));
        short.header("x-frame-options").map(str::to_owned)
    };
    let prepared = stack.prepare(&framed("SAMEORIGIN")).unwrap();
    assert_eq!(now().await.as_deref(), Some("DENY"));
    stack.commit(prepared);
    assert_eq!(now().await.as_deref(), Some("SAMEORIGIN"));
    assert!(stack.reconfigure(&framed("line\nbreak")).is_err());
    assert_eq!(now().await.as_deref(), Some("SAMEORIGIN"));
    stack.reconfigure(&framed("")).unwrap();
    assert_eq!(now().await, None);
}

/// CFG-9: a request keeps the configuration that it began with.
#[tokio::test]
async fn a_request_sees_one_configuration() {
    let stack = Stack::new(framed("DENY")).unwrap();
    let gate = Arc::new(Notify::new());
    let opened = Arc::clone(&gate);
    let mut service = stack.layer(tower::service_fn(move |_| {
        let gate = Arc::clone(&opened);
        async move {
            gate.notified().await;
            Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
        }
    }));
    let began = service.call(get("/"));
    stack.reconfigure(&framed("SAMEORIGIN")).unwrap();
    gate.notify_one();
    assert_eq!(began.await.unwrap().headers()["x-frame-options"], "DENY");
    gate.notify_one();
    assert_eq!(send(service, get("/")).await.header("x-frame-options"), Some("SAMEORIGIN"));
}

/// The limit of requests in flight can be lowered while more of them are.
#[tokio::test]
async fn a_lower_limit_holds_at_once() {
    let stack = Stack::new(config(|config| config.max_in_flight = 2)).unwrap();
    let mut service = stack.layer(answering(|_| Response::new(Body::empty())));
    let held = (service.call(get("/")), service.call(get("/")));
    stack.reconfigure(&config(|config| config.max_in_flight = 1)).unwrap();
    assert_eq!(send(service.clone(), get("/")).await.status, 503);
    drop(held);
    assert_eq!(send(service, get("/")).await.status, 200);
}

/// CFG-6: swapped over and over under use, every answer is of one configuration, whole.
#[test]
fn nothing_is_torn_under_use() {
    let of = |frame: &str, limit: u64| {
        config(|config| {
            config.security_headers.frame_options = frame.into();
            config.security_headers.referrer_policy = frame.into();
            config.body_limit = ByteSize::from_bytes(limit);
        })
    };
    let (deny, same) = (of("DENY", 10), of("SAMEORIGIN", 20));
    let stack = Stack::new(deny.clone()).unwrap();
    std::thread::scope(|threads| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let service = stack.layer(answering(|_| Response::new(Body::empty())));
                threads.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    for _ in 0..500 {
                        let large = request("GET", "/", &[("content-length", "15")]);
                        let answer = runtime.block_on(send(service.clone(), large));
                        let frame = answer.header("x-frame-options").unwrap();
                        assert_eq!(answer.header("referrer-policy"), Some(frame));
                        assert_eq!(answer.status == 413, frame == "DENY");
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            stack.reconfigure(&same).unwrap();
            stack.reconfigure(&deny).unwrap();
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
}
