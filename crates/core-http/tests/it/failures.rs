use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use axum::routing::{get as route, post};
use axum::{Json, Router};
use core_http::{Config, Failure, Outcome, Stack};
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::Layer as _;

use crate::support::*;

#[derive(Debug, thiserror::Error)]
#[error("cannot save the plan")]
pub(crate) struct CannotSave(#[source] pub(crate) StoreWentAway);

#[derive(serde::Deserialize)]
struct Plan {
    #[expect(dead_code, reason = "only whether it can be read matters")]
    name: String,
}

/// Reads a body, and makes a failure of the error.
async fn misread(
    request: Request<Body>,
    failure: impl FnOnce(axum::Error) -> Failure,
) -> Response<Body> {
    match request.into_body().collect().await {
        Ok(_) => Response::new(Body::empty()),
        Err(error) => failure(error).into_response(),
    }
}

pub(crate) fn router() -> Router {
    let gone = || Failure::not_found("no such plan").with_details(json!({ "plan": 7 }));
    let broken = || Failure::internal(CannotSave(StoreWentAway));
    Router::new()
        .route("/text", route(|| async { (StatusCode::CONFLICT, "already there") }))
        .route("/text-500", route(|| async { (StatusCode::BAD_GATEWAY, "10.0.0.9 refused") }))
        .route("/empty", route(|| async { StatusCode::IM_A_TEAPOT }))
        .route("/page", route(|| async { (StatusCode::GONE, axum::response::Html("<p>")) }))
        .route("/failure", route(move || async move { gone().into_response::<Body>() }))
        .route("/internal", route(move || async move { broken().into_response::<Body>() }))
        .route("/panic", route(|| async { panic!("index out of range") as &'static str }))
        .route("/slow", route(std::future::pending::<()>))
        .route("/json", post(|_: Json<Plan>| async {}))
        .route("/bytes", post(|_: Bytes| async {}))
        .route(
            "/misread",
            post(|request: Request<Body>| async {
                let read = request.into_body().collect().await;
                read.map(drop).map_err(|_| (StatusCode::BAD_REQUEST, "cannot read"))
            }),
        )
        .route("/misread-as-500", post(|request| misread(request, Failure::internal)))
        .route(
            "/misread-as-400",
            post(|request| {
                misread(request, |error| Failure::bad_request("cannot read").with_source(error))
            }),
        )
        .route(
            "/own-413",
            post(|request| {
                misread(request, |error| {
                    Failure::payload_too_large("at most ten bytes").with_source(error)
                })
            }),
        )
}

struct Case {
    method: &'static str,
    path: &'static str,
    body: Option<Body>,
    status: u16,
    code: &'static str,
    message: &'static str,
    /// The cause that the observer is told; none if the failure is nobody's business.
    causes: Option<&'static str>,
    outcome: Outcome,
}

fn case(path: &'static str, status: u16, code: &'static str, message: &'static str) -> Case {
    let (causes, outcome) = (None, Outcome::Completed);
    Case { method: "GET", path, body: None, status, code, message, causes, outcome }
}

fn posted(mut case: Case, body: impl Into<Body>) -> Case {
    case.method = "POST";
    case.body = Some(body.into());
    case
}

fn caused(mut case: Case, causes: &'static str, outcome: Outcome) -> Case {
    case.causes = Some(causes);
    case.outcome = outcome;
    case
}

fn cases() -> Vec<Case> {
    const UNSAID: &str = "Internal Server Error";
    const LARGE: &str = "the request's body is larger than 10B";
    const MISSING: &str = "Failed to deserialize the JSON body into the target type: missing field \
                           `name` at line 1 column 2";
    let streamed = || Body::new(Script::new(&["twelve bytes"], End::Ends));
    vec![
        case("/nowhere", 404, "NOT_FOUND", "Not Found"),
        posted(case("/text", 405, "METHOD_NOT_ALLOWED", "Method Not Allowed"), Body::empty()),
        case("/text", 409, "CONFLICT", "already there"),
        case("/empty", 418, "CLIENT_ERROR", "I'm a teapot"),
        case("/page", 410, "GONE", "Gone"),
        case("/failure", 404, "NOT_FOUND", "no such plan"),
        posted(
            case(
                "/json",
                415,
                "UNSUPPORTED_MEDIA_TYPE",
                "Expected request with `Content-Type: application/json`",
            ),
            Body::empty(),
        ),
        posted(case("/json?typed", 422, "UNPROCESSABLE_ENTITY", MISSING), "{}"),
        posted(case("/bytes", 413, "PAYLOAD_TOO_LARGE", LARGE), streamed()),
        posted(case("/bytes?told", 413, "PAYLOAD_TOO_LARGE", LARGE), "twelve bytes"),
        posted(case("/misread", 413, "PAYLOAD_TOO_LARGE", LARGE), streamed()),
        posted(case("/misread-as-500", 413, "PAYLOAD_TOO_LARGE", LARGE), streamed()),
        posted(case("/misread-as-400", 413, "PAYLOAD_TOO_LARGE", LARGE), streamed()),
        caused(
            posted(case("/own-413", 413, "PAYLOAD_TOO_LARGE", "at most ten bytes"), streamed()),
            "length limit exceeded",
            Outcome::Completed,
        ),
        caused(
            case("/text-500", 502, "BAD_GATEWAY", "Bad Gateway"),
            "10.0.0.9 refused",
            Outcome::Completed,
        ),
        caused(
            case("/internal", 500, "INTERNAL_ERROR", UNSAID),
            "cannot save the plan: the store went away",
            Outcome::Completed,
        ),
        caused(
            case("/panic", 500, "INTERNAL_ERROR", UNSAID),
            "panicked: index out of range",
            Outcome::Panicked,
        ),
        caused(
            case("/slow", 504, "REQUEST_TIMEOUT", "the service took too long to answer"),
            "",
            Outcome::TimedOut,
        ),
    ]
}

fn requested(case: &mut Case) -> Request<Body> {
    let mut headers = vec![("x-request-id", "r-1")];
    if case.path.contains("typed") {
        headers.push(("content-type", "application/json"));
    }
    if case.path.contains("told") {
        headers.push(("content-length", "12"));
    }
    let mut request = request(case.method, case.path, &headers);
    *request.body_mut() = case.body.take().unwrap_or_else(Body::empty);
    request
}

/// HTTP-2: every failure has the one shape, and one id in head, body and report.
#[tokio::test(start_paused = true)]
async fn every_failure_has_the_shape() {
    for mut case in cases() {
        let (stack, record) = recorded(config(|config| {
            config.body_limit = core_types::ByteSize::from_bytes(10);
            config.request_timeout = core_types::Duration::from_secs(30);
        }));
        let path = case.path;
        let answer = send(stack.layer(router()), requested(&mut case)).await;
        assert_eq!(answer.status.as_u16(), case.status, "{path}");
        check_shape(&answer, path);
        let body = answer.json();
        assert_eq!(body["error_code"], case.code, "{path}");
        assert_eq!(body["message"], case.message, "{path}");
        let details = if path == "/failure" { json!({ "plan": 7 }) } else { json!({}) };
        assert_eq!(body["details"], details, "{path}");

        let finished = record.finished();
        assert_eq!(finished.status, Some(case.status), "{path}");
        assert_eq!(finished.outcome, Some(case.outcome), "{path}");
        assert_eq!(finished.error_id.as_deref(), body["error_id"].as_str(), "{path}");
        assert_eq!(finished.response_bytes, answer.body.len() as u64, "{path}");
        if let Some(causes) = case.causes {
            assert_eq!(record.kinds(), ["started", "failed", "finished"], "{path}");
            let failed = record.the("failed");
            assert_eq!(failed.causes, causes, "{path}");
            assert_eq!(failed.error_code, Some(case.code), "{path}");
            assert_eq!(failed.error_id, finished.error_id, "{path}");
        } else {
            assert_eq!(record.kinds(), ["started", "finished"], "{path}");
        }
        for seen in record.all() {
            assert_eq!(seen.request_id.as_deref(), Some("r-1"), "{path}");
        }
    }
}

/// What every failed answer has, whatever failed.
#[track_caller]
pub(crate) fn check_shape(answer: &Answer, path: &str) {
    let body = answer.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["error_id", "error_code", "message", "timestamp", "details"];
    expected.sort_unstable();
    assert_eq!(keys, expected, "{path}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
    assert_eq!(answer.header("x-error-id"), body["error_id"].as_str(), "{path}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    assert!(answer.header("x-request-id").is_some(), "{path}");
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'), "{path}");
    assert_eq!(body["error_id"].as_str().unwrap().len(), 36, "{path}");
}

/// HTTP-2: a 5xx shows no internals; the observer is told all of it.
#[tokio::test]
async fn a_canary_in_a_cause_stays_inside() {
    const CANARY: &str = "canary-4711";
    let failures: [fn() -> Response<Body>; 3] = [
        || Failure::internal(CANARY).into_response(),
        || Failure::unavailable("later").with_source(CANARY).into_response(),
        || Response::builder().status(500).body(Body::from(CANARY)).unwrap(),
    ];
    for failure in failures {
        for accept in ["*/*", "application/problem+json"] {
            let (stack, record) = recorded(Config::default());
            let service = stack.layer(answering(move |_| failure()));
            let answer = send(service, request("GET", "/", &[("accept", accept)])).await;
            assert!(!format!("{answer:?}").contains(CANARY), "{answer:?}");
            assert_eq!(record.the("failed").causes, CANARY);
        }
    }
}

/// HTTP-2: RFC 9457 by Accept, with our members beside its own.
#[tokio::test]
async fn problem_details_by_accept() {
    for path in ["/failure", "/nowhere"] {
        let (stack, record) = recorded(Config::default());
        let accept = [("accept", "application/problem+json, application/json;q=0.9")];
        let answer = send(stack.layer(router()), request("GET", path, &accept)).await;
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let mut body = answer.json();
        let id = record.finished().error_id.unwrap();
        assert_eq!(answer.header("x-error-id"), Some(&*id));
        let body = body.as_object_mut().unwrap();
        assert!(body.remove("timestamp").unwrap().as_str().unwrap().ends_with('Z'));
        let (detail, details) = match path {
            "/failure" => ("no such plan", json!({ "plan": 7 })),
            _ => ("Not Found", json!({})),
        };
        let expected = json!({
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "detail": detail,
            "error_id": id,
            "error_code": "NOT_FOUND",
            "details": details,
        });
        assert_eq!(Value::from(body.clone()), expected);
    }
}

/// HTTP-2: what a handler says for programs is left alone, and still has an id.
#[tokio::test]
async fn a_structured_body_is_kept() {
    for kind in ["application/json", "application/vnd.api+json; charset=utf-8", "application/grpc"]
    {
        let (stack, record) = recorded(Config::default());
        let service = stack.layer(answering(move |_| {
            let builder = Response::builder().status(400).header("content-type", kind);
            builder.header("cache-control", "max-age=60").body(Body::from("{\"own\":1}")).unwrap()
        }));
        let answer = send(service, get("/")).await;
        assert_eq!(
            (&*answer.body, answer.header("content-type")),
            (&b"{\"own\":1}"[..], Some(kind))
        );
        assert_eq!(answer.header("x-error-id"), record.finished().error_id.as_deref());
        assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    }
}

/// HTTP-2: headers that belong to the replaced body go with it; the others stay.
#[tokio::test]
async fn other_headers_stay() {
    let stack = Stack::new(Config::default()).unwrap();
    let wrong_method = request("DELETE", "/text", &[]);
    let answer = send(stack.layer(router()), wrong_method).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("GET,HEAD")));
    let service = stack.layer(answering(|_| {
        let builder = Response::builder().status(503).header("retry-after", "7");
        let builder = builder.header("content-encoding", "gzip").header("content-length", "3");
        builder.header("etag", "\"1\"").body(Body::from("zip")).unwrap()
    }));
    let answer = send(service, get("/")).await;
    assert_eq!(answer.header("retry-after"), Some("7"));
    for gone in ["content-encoding", "content-length", "etag"] {
        assert_eq!(answer.header(gone), None);
    }
    check_shape(&answer, "/");
}
