use axum::{Router, body::Body, routing::get as route};
use core_http::{Config, Stack};
use http::{Method, Response};
use tower::Layer as _;

use crate::support::*;

const EXPECTED: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-xss-protection", "1; mode=block"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];
const HSTS: &str = "strict-transport-security";

fn app(stack: &Stack) -> impl Layered {
    let router = Router::new()
        .route("/", route(|| async { "hello" }))
        .route("/panic", route(|| async { panic!("on purpose") as &'static str }));
    stack.layer(router)
}

trait Layered:
    tower::Service<
        http::Request<Body>,
        Response = Response<core_http::ResponseBody<Body>>,
        Error = std::convert::Infallible,
    > + Clone
{
}
impl<S> Layered for S where
    S: tower::Service<
            http::Request<Body>,
            Response = Response<core_http::ResponseBody<Body>>,
            Error = std::convert::Infallible,
        > + Clone
{
}

/// HTTP-3: every answer has them: success, failure, panic, preflight, redirect.
#[tokio::test]
async fn security_headers_are_on_every_answer() {
    let plain = Stack::new(Config::default()).unwrap();
    let strict = Stack::new(config(|config| {
        config.https_redirect = true;
        config.cors.allowed_origins = vec!["https://example.com".into()];
    }));
    let strict = strict.unwrap();
    let preflight = || {
        let headers = [("origin", "https://example.com"), ("access-control-request-method", "PUT")];
        let mut request = request("OPTIONS", "/", &headers);
        request.extensions_mut().insert(peer("203.0.113.7", true));
        request
    };
    let answers = [
        (200, send(app(&plain), get("/")).await),
        (404, send(app(&plain), get("/nowhere")).await),
        (500, send(app(&plain), get("/panic")).await),
        (308, send(app(&strict), request("GET", "/", &[("host", "example.com")])).await),
        (400, send(app(&strict), get("/")).await),
        (204, send(app(&strict), preflight()).await),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status);
        for (name, value) in EXPECTED {
            assert_eq!(answer.header(name), Some(value), "{status}");
        }
        assert_eq!(answer.header("x-request-id").unwrap().len(), 36, "{status}");
        assert_eq!(answer.header(HSTS).is_some(), status == 204, "only that came by HTTPS");
    }
}

/// HTTP-3: HSTS over HTTPS only, ours or that of a trusted proxy.
#[tokio::test]
async fn hsts_over_https_only() {
    let stack = Stack::new(config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    }));
    let stack = stack.unwrap();
    for (address, https, proto, expected) in [
        ("203.0.113.7", true, None, true),
        ("203.0.113.7", false, None, false),
        ("203.0.113.7", false, Some("https"), false),
        ("10.0.0.1", false, Some("https"), true),
        ("10.0.0.1", true, Some("http"), false),
        ("10.0.0.1", true, None, true),
    ] {
        let headers: Vec<_> = proto.map(|proto| ("x-forwarded-proto", proto)).into_iter().collect();
        let mut request = request("GET", "/", &headers);
        request.extensions_mut().insert(peer(address, https));
        let answer = send(app(&stack), request).await;
        let value = expected.then_some("max-age=31536000; includeSubDomains");
        assert_eq!(answer.header(HSTS), value, "{address} {https} {proto:?}");
    }
}

/// HTTP-3: what the handler has set stays, and what the operator has switched off is not there.
#[tokio::test]
async fn security_headers_can_be_overridden() {
    let stack = Stack::new(config(|config| {
        config.security_headers.frame_options = String::new();
        config.security_headers.referrer_policy = "same-origin".into();
    }));
    let service = stack.unwrap().layer(answering(|_| {
        let policy = "default-src 'self'";
        let builder = Response::builder().header("content-security-policy", policy);
        builder.body(Body::empty()).unwrap()
    }));
    let answer = send(service, get("/")).await;
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'self'"));
    assert_eq!(answer.header("x-frame-options"), None);
    assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

async fn redirected(method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let stack = Stack::new(config(|config| {
        config.https_redirect = true;
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    }));
    let stack =
        stack.unwrap().with_never_redirected(|request| request.uri.path() == "/health/live");
    let mut request = request(method, uri, headers);
    request.extensions_mut().insert(peer("10.0.0.1", false));
    send(app(&stack), request).await
}

/// HTTP-3: the redirect keeps method, path and query, and goes to the host that was asked for.
#[tokio::test]
async fn plain_http_is_redirected() {
    for (uri, headers, location) in [
        ("/a/b?c=d&e", &[("host", "example.com")][..], "https://example.com/a/b?c=d&e"),
        ("/", &[("host", "example.com:8080")], "https://example.com/"),
        ("/", &[("host", "[::1]:8080")], "https://[::1]/"),
        ("//evil.example/", &[("host", "example.com")], "https://example.com//evil.example/"),
        ("http://example.com/a", &[], "https://example.com/a"),
        ("/", &[("host", "pod-7"), ("x-forwarded-host", "example.com")], "https://example.com/"),
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = redirected(method.as_str(), uri, headers).await;
            assert_eq!(answer.status, 308, "{uri}");
            assert_eq!(answer.header("location"), Some(location));
            assert!(answer.body.is_empty());
        }
    }
}

/// HTTP-3: HTTPS and probes are not redirected; a host that is none is refused.
#[tokio::test]
async fn what_is_not_redirected() {
    let by_https = [("host", "example.com"), ("x-forwarded-proto", "https")];
    assert_eq!(redirected("GET", "/", &by_https).await.status, 200);
    assert_eq!(redirected("GET", "/health/live", &[]).await.status, 404);
    for host in ["", "a b", "evil.example/path?", "user@evil.example", "[::1"] {
        let answer = redirected("GET", "/", &[("host", host)]).await;
        assert_eq!((answer.status.as_u16(), &*answer.error_code()), (400, "BAD_REQUEST"), "{host}");
        assert_eq!(answer.header("location"), None);
    }
    assert_eq!(redirected("GET", "/", &[]).await.status, 400);
}
