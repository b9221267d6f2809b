use axum::{Extension, Router, body::Body, routing::get as route};
use core_http::{Config, Context, Outcome, Route, Stack, outgoing_headers};
use core_types::{Baggage, Scope};
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use tower::{Layer as _, ServiceExt as _};

use crate::support::*;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// What a handler sees of its scope, as text.
fn scope_text() -> String {
    Scope::with_current(|scope| {
        let scope = scope.expect("a scope");
        let trace = scope.trace().expect("a trace");
        let parent = trace.parent_span_id().map(|id| id.to_string()).unwrap_or_default();
        format!(
            "{}|{}|{}|{parent}|{}|{}",
            scope.request_id().expect("a request id"),
            scope.correlation_id(),
            trace.trace_id(),
            trace.state().header().unwrap_or_default(),
            scope.baggage().header().unwrap_or_default(),
        )
    })
}

async fn seen_scope(headers: &[(&str, &str)]) -> (Vec<String>, Answer) {
    let stack = Stack::new(Config::default()).unwrap();
    let router = Router::new().route("/", route(|| async { scope_text() }));
    let answer = send(stack.layer(router), request("GET", "/", headers)).await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    (text.split('|').map(str::to_owned).collect(), answer)
}

/// HTTP-1: well-formed ids are accepted, and the request's id is returned.
#[tokio::test]
async fn ids_from_outside_are_kept() {
    let headers = [("x-request-id", "r-1"), ("x-correlation-id", "c-1")];
    let (scope, answer) = seen_scope(&headers).await;
    assert_eq!(scope[..2], ["r-1", "c-1"]);
    assert_eq!(answer.header("x-request-id"), Some("r-1"));
}

/// HTTP-1: ids are made when absent, ill-formed or ambiguous, each for itself.
#[tokio::test]
async fn other_ids_are_replaced() {
    let long = "x".repeat(129);
    let cases: [&[(&str, &str)]; 4] = [
        &[],
        &[("x-request-id", "two words"), ("x-correlation-id", "<script>")],
        &[("x-request-id", &long), ("x-correlation-id", &long)],
        &[
            ("x-request-id", "a"),
            ("x-request-id", "b"),
            ("x-correlation-id", "a"),
            ("x-correlation-id", "b"),
        ],
    ];
    for headers in cases {
        let (scope, answer) = seen_scope(headers).await;
        assert_eq!((scope[0].len(), scope[1].len()), (36, 36), "{headers:?}");
        assert_ne!(scope[0], scope[1]);
        assert_eq!(answer.header("x-request-id"), Some(&*scope[0]));
    }
    let (scope, _) = seen_scope(&[("x-request-id", "r-1")]).await;
    assert_eq!(scope[1].len(), 36, "the correlation id is no copy of the request id");
}

/// HTTP-1, LOG-3: the trace goes on in a span of our own, with everything that came along.
#[tokio::test]
async fn a_trace_goes_on() {
    let headers = [
        ("traceparent", PARENT),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("baggage", "tenant=blue"),
        ("baggage", "region=eu"),
    ];
    let (scope, _) = seen_scope(&headers).await;
    assert_eq!(
        scope[2..],
        [
            "0af7651916cd43dd8448eb211c80319c",
            "b7ad6b7169203331",
            "a=1,b=2",
            "tenant=blue,region=eu"
        ]
    );
}

/// HTTP-1, LOG-3: several `traceparent` headers are none, and take `tracestate` with them.
#[tokio::test]
async fn a_broken_trace_begins_anew() {
    for headers in [
        &[("tracestate", "a=1")][..],
        &[("traceparent", "00-nonsense-01"), ("tracestate", "a=1")],
        &[("traceparent", PARENT), ("traceparent", PARENT), ("tracestate", "a=1")],
    ] {
        let (scope, _) = seen_scope(headers).await;
        assert_eq!(scope[2].len(), 32);
        assert_ne!(scope[2], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(scope[3..5], ["", ""], "{headers:?}");
    }
}

/// HTTP-1: the scope is open in the handler, whenever it is polled, and in the body's stream.
#[tokio::test]
async fn the_scope_is_open_everywhere() {
    struct Body(u32);
    impl http_body::Body for Body {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;
        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
            self.0 += 1;
            let frame = (self.0 < 3).then(|| Ok(http_body::Frame::data(scope_text().into())));
            std::task::Poll::Ready(frame)
        }
    }
    impl Drop for Body {
        fn drop(&mut self) {
            assert!(scope_text().starts_with("r-1|"));
        }
    }
    let stack = Stack::new(Config::default()).unwrap();
    let service = stack.layer(tower::service_fn(|_: Request<_>| async {
        assert!(scope_text().starts_with("r-1|"));
        tokio::task::yield_now().await;
        assert!(scope_text().starts_with("r-1|"));
        Ok::<_, std::convert::Infallible>(Response::new(Body(0)))
    }));
    let sent = || service.clone().oneshot(request("GET", "/", &[("x-request-id", "r-1")]));
    let answer = sent().await.unwrap();
    assert!(Scope::current().is_none(), "closed between two polls");
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(String::from_utf8_lossy(&body).matches("r-1|").count(), 2);
    // A body that nobody reads is dropped inside the scope as well.
    drop(sent().await.unwrap());
    assert!(Scope::current().is_none());
}

/// HTTP-1: start and completion are reported with duration, status, route template and bytes.
#[tokio::test(start_paused = true)]
async fn a_request_is_reported() {
    let (stack, record) = recorded(Config::default());
    let app = tower::service_fn(|request: Request<core_http::RequestBody<Body>>| async {
        request.extensions().get::<Context>().unwrap().set_route("/plans/{id}");
        let read = request.into_body().collect().await.unwrap().to_bytes();
        tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(read.repeat(2))))
    });
    let mut post = request("POST", "/plans/7?token=hunter2", &[("x-request-id", "r-1")]);
    *post.body_mut() = Body::from("hello");
    post.extensions_mut().insert(peer("203.0.113.7", false));
    let answer = send(stack.layer(app), post).await;
    assert_eq!(&*answer.body, b"hellohello");

    assert_eq!(record.kinds(), ["started", "finished"]);
    let started = record.the("started");
    assert_eq!((started.method, &*started.path), ("POST", "/plans/7"));
    assert_eq!(started.client, "203.0.113.7".parse().ok());
    let finished = record.finished();
    assert_eq!((finished.method, &*finished.path), ("POST", "/plans/7"));
    assert_eq!(finished.route, "/plans/{id}");
    assert_eq!(finished.status, Some(200));
    assert_eq!(finished.outcome, Some(Outcome::Completed));
    assert_eq!((finished.request_bytes, finished.response_bytes), (5, 10));
    assert_eq!(finished.duration.as_millis(), 250);
    assert_eq!(finished.client, started.client);
    for seen in record.all() {
        assert_eq!(seen.request_id.as_deref(), Some("r-1"));
        assert_eq!(seen.correlation_id, finished.correlation_id);
    }
}

/// HTTP-1: routes and methods are bounded, whatever strangers ask for.
#[tokio::test]
async fn what_strangers_choose_is_no_label() {
    let (stack, record) = recorded(Config::default());
    let app = stack.layer(answering(|request| {
        let mut response = Response::new(Body::empty());
        if request.uri() == "/by-extension" {
            response.extensions_mut().insert(Route::from("/by-extension"));
        }
        response
    }));
    send(app.clone(), request("BREW", "/coffee", &[])).await;
    send(app, get("/by-extension")).await;
    let finished: Vec<_> = record.all().into_iter().filter(|s| s.kind == "finished").collect();
    assert_eq!((finished[0].method, &*finished[0].route), ("other", "unmatched"));
    assert_eq!((finished[1].method, &*finished[1].route), ("GET", "/by-extension"));
}

/// HTTP-1: handlers reach the context.
#[tokio::test]
async fn the_context_is_in_the_extensions() {
    let stack = Stack::new(Config::default()).unwrap();
    let handler = |Extension(context): Extension<Context>| async move {
        assert_eq!(context.scope().request_id().unwrap().as_str(), "r-1");
        format!("{:?} {}", context.client_address(), context.is_https())
    };
    let app = stack.layer(Router::new().route("/", route(handler)));
    let mut request = request("GET", "/", &[("x-request-id", "r-1")]);
    request.extensions_mut().insert(peer("203.0.113.7", true));
    assert_eq!(&*send(app, request).await.body, b"Some(203.0.113.7) true");
}

/// LOG-3: what came in goes out to the next service.
#[test]
fn calls_out_carry_the_scope() {
    let mut headers = HeaderMap::new();
    outgoing_headers(&mut headers);
    assert!(headers.is_empty(), "outside of every scope");

    let upstream = core_types::TraceContext::parse(PARENT, Some("a=1")).unwrap().child();
    let scope = Scope::root()
        .with_correlation_id("c-1".parse().unwrap())
        .with_request_id("r-1".parse().unwrap())
        .with_trace(upstream.clone())
        .with_baggage(Baggage::parse("tenant=blue"));
    scope.clone().run(|| outgoing_headers(&mut headers));
    assert_eq!(headers["x-correlation-id"], "c-1");
    assert_eq!(headers["traceparent"], upstream.traceparent());
    assert_eq!(headers["tracestate"], "a=1");
    assert_eq!(headers["baggage"], "tenant=blue");
    assert!(!headers.contains_key("x-request-id"), "the next request is another one");

    let mut headers = HeaderMap::from_iter([
        (http::HeaderName::from_static("traceparent"), PARENT.parse().unwrap()),
        (http::HeaderName::from_static("x-correlation-id"), "mine".parse().unwrap()),
    ]);
    scope.run(|| outgoing_headers(&mut headers));
    assert_eq!(headers["x-correlation-id"], "mine");
    assert_eq!(headers["traceparent"], PARENT);
    assert!(!headers.contains_key("tracestate"), "it belongs to our trace, not to that one");
}

fn header_name() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "x-request-id",
        "x-correlation-id",
        "traceparent",
        "tracestate",
        "baggage",
        "accept",
        "origin",
        "host",
        "content-length",
        "access-control-request-method",
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
    ])
}

proptest! {
    /// HTTP-1, HTTP-2, HTTP-3: no header makes the stack panic, and every answer has its id.
    #[test]
    fn no_header_makes_it_panic(
        headers in proptest::collection::vec(
            (header_name(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
        method in proptest::sample::select(vec!["GET", "HEAD", "OPTIONS", "POST"]),
        redirect: bool,
    ) {
        let stack = Stack::new(config(|config| {
            config.cors.allowed_origins = vec!["https://example.com".into()];
            config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
            config.https_redirect = redirect;
        })).unwrap();
        let mut request = request(method, "/a/b?c", &[]);
        request.extensions_mut().insert(peer("10.0.0.1", false));
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                request.headers_mut().append(name, value);
            }
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let answer = runtime.block_on(send(stack.layer(Router::new()), request));
        prop_assert!(answer.header("x-request-id").is_some());
        prop_assert_ne!(answer.status, http::StatusCode::INTERNAL_SERVER_ERROR);
    }
}
