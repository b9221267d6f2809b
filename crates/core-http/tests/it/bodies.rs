use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use axum::body::Body;
use core_http::{BoxError, Config, Outcome, RequestBody, ResponseBody};
use http::{HeaderMap, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt as _, Full};
use tower::{Layer as _, ServiceExt as _};

use crate::support::*;

/// The body of an answer, and what the observer is told of it.
async fn body_of(end: End) -> (ResponseBody<Body>, Record) {
    let (stack, record) = recorded(Config::default());
    let service = stack
        .layer(answering(move |_| Response::new(Body::new(Script::new(&["one", "two"], end)))));
    let response = service.oneshot(request("GET", "/", &[("x-request-id", "r-1")])).await.unwrap();
    assert_eq!(response.status(), 200);
    (response.into_body(), record)
}

async fn read(body: &mut ResponseBody<Body>) -> Option<Result<String, BoxError>> {
    let frame = body.frame().await?;
    Some(frame.map(|frame| String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap()))
}

/// HTTP-2: a panic in the body's stream cuts the connection, and is reported.
#[tokio::test]
async fn a_panic_in_the_body_is_an_error() {
    let (mut body, record) = body_of(End::Panics).await;
    assert_eq!(read(&mut body).await.unwrap().unwrap(), "one");
    assert_eq!(read(&mut body).await.unwrap().unwrap(), "two");
    let error = read(&mut body).await.unwrap().unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "panicked: the body broke");
    assert!(read(&mut body).await.is_none(), "never polled again");
    drop(body);
    let failed = record.the("failed");
    assert_eq!(failed.causes, "panicked: the body broke");
    assert_eq!(failed.request_id.as_deref(), Some("r-1"));
    let finished = record.finished();
    assert_eq!((finished.outcome, finished.status), (Some(Outcome::Panicked), Some(200)));
    assert_eq!((finished.response_bytes, finished.error_id), (6, failed.error_id));
}

/// HTTP-2: a body that fails cuts the connection, and is reported with its cause.
#[tokio::test]
async fn a_body_that_fails_is_reported() {
    let (body, record) = body_of(End::Fails).await;
    assert!(body.collect().await.is_err());
    assert_eq!(record.the("failed").causes, "the store went away");
    assert_eq!(record.finished().outcome, Some(Outcome::BodyFailed));
}

/// HTTP-1: a client that leaves is reported as such, with what it got until then.
#[tokio::test]
async fn a_client_that_leaves_is_reported() {
    for frames in 0..=2 {
        let (mut body, record) = body_of(End::Waits).await;
        for _ in 0..frames {
            read(&mut body).await.unwrap().unwrap();
        }
        assert_eq!(record.kinds(), ["started"]);
        drop(body);
        let finished = record.finished();
        assert_eq!((finished.outcome, finished.status), (Some(Outcome::ClientGone), Some(200)));
        assert_eq!(finished.response_bytes, 3 * frames);
        assert_eq!(finished.request_id.as_deref(), Some("r-1"));
        assert_eq!(finished.error_id, None);
    }
}

/// HTTP-1: a client that leaves before the answer is reported, and the handler ends in its scope.
#[tokio::test]
async fn a_client_that_does_not_wait_is_reported() {
    struct InScope;
    impl Drop for InScope {
        fn drop(&mut self) {
            let scope = core_types::Scope::current().expect("a scope");
            assert_eq!(scope.request_id().unwrap().as_str(), "r-1");
        }
    }
    let (stack, record) = recorded(Config::default());
    let service = stack.layer(tower::service_fn(|_: Request<RequestBody<Body>>| async {
        let _held = InScope;
        std::future::pending::<Result<Response<Body>, BoxError>>().await
    }));
    let request = request("GET", "/", &[("x-request-id", "r-1")]);
    {
        let mut future = pin!(service.oneshot(request));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    let finished = record.finished();
    assert_eq!((finished.outcome, finished.status), (Some(Outcome::ClientGone), None));
    assert_eq!(finished.request_id.as_deref(), Some("r-1"));
}

/// HTTP-1: servers drop bodies that they know to have ended; those are no clients that left.
#[tokio::test]
async fn a_body_that_is_known_to_end_need_not_be_polled_to_its_end() {
    let frames = |frames: Vec<Frame<bytes::Bytes>>| {
        Body::new(Script { frames: frames.into(), end: End::Ends })
    };
    let data = || Frame::data(bytes::Bytes::from_static(b"four"));
    let bodies: [(&str, Response<Body>, usize); 5] = [
        ("known by its end", Response::new(frames(vec![data()])), 1),
        (
            "known by its length",
            Response::builder()
                .header("content-length", "8")
                .body(frames(vec![data(), data(), data()]))
                .unwrap(),
            2,
        ),
        (
            "ended by trailers",
            Response::new(frames(vec![data(), Frame::trailers(HeaderMap::new()), data()])),
            2,
        ),
        ("empty", Response::new(Body::empty()), 0),
        ("never sent", Response::builder().status(304).body(frames(vec![data()])).unwrap(), 0),
    ];
    for (name, response, polls) in bodies {
        let (stack, record) = recorded(Config::default());
        let response = Arc::new(std::sync::Mutex::new(Some(response)));
        let service =
            stack.layer(answering(move |_| response.lock().unwrap().take().expect("called once")));
        let mut body = service.oneshot(get("/")).await.unwrap().into_body();
        for _ in 0..polls {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        assert_eq!(record.finished().outcome, Some(Outcome::Completed), "{name}");
    }
}

/// A tonic service answers by a body of its own with trailers: any `http_body::Body` will do.
#[tokio::test]
async fn trailers_pass() {
    let (stack, record) = recorded(Config::default());
    let service =
        stack.layer(tower::service_fn(|_: Request<RequestBody<Full<bytes::Bytes>>>| async {
            let trailers = HeaderMap::from_iter([(
                http::HeaderName::from_static("grpc-status"),
                http::HeaderValue::from_static("0"),
            )]);
            let body = Full::new(bytes::Bytes::from_static(b"message"));
            let body = body.with_trailers(std::future::ready(Some(Ok(trailers))));
            Ok::<_, BoxError>(Response::new(body))
        }));
    let request = Request::new(Full::default());
    let collected = service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(collected.trailers().unwrap()["grpc-status"], "0");
    assert_eq!(record.finished().outcome, Some(Outcome::Completed));
}
