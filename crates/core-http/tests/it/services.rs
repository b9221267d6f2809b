use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use core_http::{Config, Failure, Outcome, RequestBody, Stack};
use http::{HeaderValue, Request};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::{Layer as _, ServiceExt as _};

use crate::failures::{CannotSave, check_shape, router};
use crate::support::*;

/// A service that fails, or panics, when it is asked whether it is ready.
#[derive(Clone)]
struct NeverReady(bool);
impl tower::Service<Request<RequestBody<Body>>> for NeverReady {
    type Response = Response<Body>;
    type Error = StoreWentAway;
    type Future = std::future::Pending<Result<Response<Body>, StoreWentAway>>;
    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), StoreWentAway>> {
        assert!(!self.0, "not even asked");
        std::task::Poll::Ready(Err(StoreWentAway))
    }
    fn call(&mut self, _: Request<RequestBody<Body>>) -> Self::Future {
        std::future::pending()
    }
}

/// HTTP-2: a service's own error is an answer too, and so is one that never gets ready.
#[tokio::test]
async fn a_service_that_fails_answers() {
    let (stack, record) = recorded(Config::default());
    let service = stack.layer(tower::service_fn(|_: Request<RequestBody<Body>>| async {
        Err::<Response<Body>, _>(CannotSave(StoreWentAway))
    }));
    let answer = send(service, get("/")).await;
    assert_eq!(answer.error_code(), "INTERNAL_ERROR");
    assert_eq!(record.the("failed").causes, "cannot save the plan: the store went away");

    let (stack, _) = recorded(Config::default());
    let service = stack.layer(tower::service_fn(|_: Request<RequestBody<Body>>| async {
        Err::<Response<Body>, _>(Failure::too_many_requests(Duration::from_millis(1500)))
    }));
    let answer = send(service, get("/")).await;
    check_shape(&answer, "/");
    assert_eq!(answer.error_code(), "TOO_MANY_REQUESTS", "a failure is what it says it is");
    assert_eq!(answer.header("retry-after"), Some("2"), "rounded up");

    let (stack, _) = recorded(Config::default());
    let service = stack.layer(tower::service_fn(|_: Request<RequestBody<Body>>| async {
        let challenge = HeaderValue::from_static("Bearer realm=\"ops\"");
        Err::<Response<Body>, _>(Failure::unauthorized("who is it?").with_challenge(challenge))
    }));
    let answer = send(service, get("/")).await;
    assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"ops\""), "RFC 9110, 11.6.1");

    for (panics, causes) in [(false, "the store went away"), (true, "panicked: not even asked")] {
        let (stack, record) = recorded(Config::default());
        let answer = send(stack.layer(NeverReady(panics)), get("/")).await;
        check_shape(&answer, "/");
        assert_eq!(record.the("failed").causes, causes);
    }
}

/// HTTP-2: a panic before the handler's first await is caught as well.
#[tokio::test]
async fn a_panic_in_the_call_is_caught() {
    let (stack, record) = recorded(Config::default());
    let service = stack.layer(answering(|_| panic!("{} things", "too many")));
    let answer = send(service, get("/")).await;
    check_shape(&answer, "/");
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(record.the("failed").causes, "panicked: too many things");
    assert_eq!(record.finished().outcome, Some(Outcome::Panicked));
}

/// HTTP-2: HEAD has the head of the answer, with the id, and no body.
#[tokio::test]
async fn head_has_no_body() {
    for (path, status) in [("/nowhere", 404), ("/internal", 500), ("/slow-but-not", 404)] {
        let (stack, record) = recorded(Config::default());
        let answer = send(stack.layer(router()), request("HEAD", path, &[])).await;
        assert_eq!(answer.status.as_u16(), status);
        assert!(answer.body.is_empty());
        assert!(answer.header("content-length").unwrap().parse::<u64>().unwrap() > 100);
        let finished = record.finished();
        assert_eq!(answer.header("x-error-id"), finished.error_id.as_deref());
        assert_eq!(finished.outcome, Some(Outcome::Completed));
    }
    let stack = Stack::new(Config::default()).unwrap();
    let service = stack.layer(answering(|_| Response::new(Body::from("hello"))));
    let answer = send(service, request("HEAD", "/", &[])).await;
    assert_eq!((answer.body.len(), answer.header("content-length")), (0, Some("5")));
}

/// HTTP-2: without the stack a failure has the shape already.
#[tokio::test]
async fn a_failure_renders_itself() {
    let failure = Failure::validation("Plan end_date must be after start_date")
        .with_details(json!({ "field": "end_date" }));
    let id = failure.id().to_string();
    let response: Response<http_body_util::Full<Bytes>> = failure.into_response();
    assert_eq!(response.status(), 422);
    assert_eq!(response.headers()["x-error-id"], id);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["timestamp"].take();
    let expected = json!({
        "error_id": id,
        "error_code": "VALIDATION_ERROR",
        "message": "Plan end_date must be after start_date",
        "timestamp": null,
        "details": { "field": "end_date" },
    });
    assert_eq!(body, expected);
    let no_failure = Failure::new(StatusCode::OK, "FINE", "all is well");
    assert_eq!(no_failure.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

/// Says that it is short, and is not there.
struct Promised;
impl http_body::Body for Promised {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        std::task::Poll::Pending
    }
    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(10)
    }
}

/// A text that is too long, or never ends, is not waited for.
#[tokio::test(start_paused = true)]
async fn a_text_is_read_within_limits() {
    let long = "x".repeat(5000);
    let (stack, record) = recorded(Config::default());
    let service = stack.layer(answering(move |_| {
        Response::builder().status(500).body(Body::from(long.clone())).unwrap()
    }));
    assert_eq!(send(service, get("/")).await.error_code(), "INTERNAL_ERROR");
    assert_eq!(record.the("failed").causes, "");

    let (stack, _) = recorded(Config::default());
    let service = stack
        .layer(answering(|_| Response::builder().status(409).body(Body::new(Promised)).unwrap()));
    let answer = send(service, get("/")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["message"].as_str()),
        (409, Some("Conflict"))
    );
}

/// HTTP-2: an observer that panics harms no request.
#[tokio::test]
async fn an_observer_may_panic() {
    let stack = Stack::new(Config::default()).unwrap();
    let stack = stack.with_observer(|_| panic!("the log is full"));
    let response = stack.layer(router()).oneshot(get("/failure")).await.unwrap();
    assert_eq!(response.status(), 404);
}
