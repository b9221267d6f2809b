use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::{Router, body::Body, routing::get as route};
use core_http::{Config, Outcome, RequestBody, Stack};
use core_types::ByteSize;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;
use tower::{Layer as _, Service as _, ServiceExt as _};

use crate::failures::check_shape;
use crate::support::*;

/// HTTP-4: a handler that takes too long is ended, and answered by 504 on time.
#[tokio::test(start_paused = true)]
async fn the_request_timeout_is_kept() {
    let (stack, record) =
        recorded(config(|config| config.request_timeout = core_types::Duration::from_secs(2)));
    let began = tokio::time::Instant::now();
    let router = Router::new().route("/", route(std::future::pending::<()>));
    let answer = send(stack.layer(router), get("/")).await;
    assert_eq!((answer.status.as_u16(), &*answer.error_code()), (504, "REQUEST_TIMEOUT"));
    // The timer counts in milliseconds, and rounds up.
    assert_eq!(began.elapsed().as_millis() / 10, 200);
    assert_eq!(record.finished().outcome, Some(Outcome::TimedOut));
}

/// HTTP-4: a slow body is no slow answer: streams may last.
#[tokio::test(start_paused = true)]
async fn the_request_timeout_ends_with_the_head() {
    let (stack, record) =
        recorded(config(|config| config.request_timeout = core_types::Duration::from_secs(2)));
    let service =
        stack.layer(answering(|_| Response::new(Body::new(Script::new(&["tick"], End::Waits)))));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert!(tokio::time::timeout(Duration::from_secs(60), body.frame()).await.is_err());
    assert_eq!(record.kinds(), ["started"]);
}

/// HTTP-4: each limit can be switched off.
#[tokio::test(start_paused = true)]
async fn zero_means_no_limit() {
    let (stack, _) = recorded(config(|config| {
        config.request_timeout = core_types::Duration::default();
        config.body_limit = ByteSize::default();
        config.max_in_flight = 0;
    }));
    let handler = |request: Request<RequestBody<Body>>| async {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        let read = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(read.len().to_string())))
    };
    let mut request = get("/");
    *request.body_mut() = Body::from(vec![0; 3 << 20]);
    let answer = send(stack.layer(tower::service_fn(handler)), request).await;
    assert_eq!(&*answer.body, b"3145728");
}

/// HTTP-4: a body exactly as large as the limit passes, one byte more does not.
#[tokio::test]
async fn the_body_limit_is_exact() {
    for told in [false, true] {
        for (bytes, status) in [(10, 200), (11, 413)] {
            let (stack, record) =
                recorded(config(|config| config.body_limit = ByteSize::from_bytes(10)));
            let router = Router::new().route("/", axum::routing::post(|_: bytes::Bytes| async {}));
            let mut request = request("POST", "/", &[]);
            if told {
                request.headers_mut().insert("content-length", bytes.into());
            }
            *request.body_mut() = Body::from(vec![0; bytes]);
            let answer = send(stack.layer(router), request).await;
            assert_eq!(answer.status, status, "{bytes} bytes, told: {told}");
            let read = if status == 200 { 10 } else { 0 };
            assert_eq!(record.finished().request_bytes, read);
        }
    }
}

/// A service that answers when it is told to, and a count of those that wait.
fn waiting(
    gate: &Arc<Notify>,
) -> impl tower::Service<
    Request<RequestBody<Body>>,
    Response = Response<Body>,
    Error = std::convert::Infallible,
    Future: Send,
> + Clone
+ Send {
    let gate = Arc::clone(gate);
    tower::service_fn(move |_| {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(Response::new(Body::new(Script::new(&["done"], End::Ends))))
        }
    })
}

type Waiting<F> = Pin<Box<F>>;

/// Polls a future once, so that it has begun.
async fn begin<F: Future>(future: F) -> Waiting<F> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    future
}

/// HTTP-4: one request too many is shed at once, with when to come again; a place is free again
/// when a body has ended, not before.
#[tokio::test]
async fn overload_is_shed() {
    let gate = Arc::new(Notify::new());
    let (stack, record) = recorded(config(|config| config.max_in_flight = 2));
    let mut service = stack.layer(waiting(&gate));
    let first = begin(service.call(get("/1"))).await;
    let second = begin(service.call(get("/2"))).await;

    let answer = send(service.clone(), get("/3")).await;
    assert_eq!((answer.status.as_u16(), &*answer.error_code()), (503, "OVERLOADED"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    check_shape(&answer, "/3");
    let finished = record.finished();
    assert_eq!(finished.outcome, Some(Outcome::Shed));
    assert_eq!(answer.header("x-error-id"), finished.error_id.as_deref());
    assert!(!record.kinds().contains(&"failed"), "there is no cause, and there are many of them");

    gate.notify_one();
    let body = first.await.unwrap().into_body();
    assert_eq!(send(service.clone(), get("/4")).await.status, 503, "the body is still in flight");
    drop(body);
    let third = begin(service.call(get("/5"))).await;
    assert_eq!(send(service.clone(), get("/6")).await.status, 503);
    // A client that leaves makes room too.
    drop(second);
    drop(third);
    gate.notify_one();
    assert_eq!(send(service, get("/7")).await.status, 200);
}

/// HTTP-4: probes and metrics are never shed, and take no place.
#[tokio::test]
async fn probes_are_never_shed() {
    let gate = Arc::new(Notify::new());
    let (stack, _) = recorded(config(|config| config.max_in_flight = 1));
    let stack = stack.with_never_shed(|request| request.uri.path().starts_with("/health"));
    let mut service = stack.layer(waiting(&gate));
    let probe = begin(service.call(get("/health/live"))).await;
    let first = begin(service.call(get("/1"))).await;
    let another = begin(service.call(get("/health/ready"))).await;
    assert_eq!(send(service.clone(), get("/2")).await.status, 503);
    drop((probe, first, another));
    gate.notify_one();
    assert_eq!(send(service, get("/3")).await.status, 200);
}

/// The host's guard is held from the request's head to the end of its body.
#[tokio::test]
async fn the_host_counts_what_is_in_flight() {
    struct Held(Arc<AtomicUsize>, Record);
    impl Drop for Held {
        fn drop(&mut self) {
            assert!(self.1.kinds().contains(&"finished"), "the report comes first");
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let held = Arc::new(AtomicUsize::new(0));
    let (stack, record) = recorded(Config::default());
    let counted = Arc::clone(&held);
    let stack: Stack = stack.with_in_flight(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Held(Arc::clone(&counted), record.clone())
    });
    let mut service =
        stack.layer(answering(|_| Response::new(Body::new(Script::new(&["one"], End::Ends)))));
    let future = service.call(get("/"));
    assert_eq!(held.load(Ordering::Relaxed), 1);
    let mut body = future.await.unwrap().into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(held.load(Ordering::Relaxed), 1);
    assert!(body.frame().await.is_none());
    assert_eq!(held.load(Ordering::Relaxed), 0, "at the end, not when the body is dropped");
    drop(body);
    drop(service.call(get("/")));
    assert_eq!(held.load(Ordering::Relaxed), 0);
}
