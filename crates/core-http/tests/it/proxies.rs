use axum::body::Body;
use core_http::{Config, Context, Peer, Shortcut, Stack};
use http::{HeaderValue, Response};
use proptest::prelude::*;
use tower::Layer as _;

use crate::support::*;

/// The address that a handler and the observer see.
fn seen(peer_address: &str, forwarded: &[http::HeaderValue]) -> String {
    let (stack, record) = recorded(config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap(), "fd00::7".parse().unwrap()];
    }));
    let service = stack.layer(answering(|request| {
        let context = request.extensions().get::<Context>().unwrap();
        Response::new(Body::from(context.client_address().unwrap().to_string()))
    }));
    let mut request = get("/");
    request.extensions_mut().insert(peer(peer_address, false));
    for line in forwarded {
        request.headers_mut().append("x-forwarded-for", line.clone());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let body = runtime.block_on(send(service, request)).body;
    let address = String::from_utf8(body.to_vec()).unwrap();
    assert_eq!(record.finished().client.unwrap().to_string(), address);
    address
}

/// HTTP-3: trusted proxies by network and by plain address.
#[test]
fn the_client_is_found_behind_trusted_proxies() {
    let forwarded = [http::HeaderValue::from_static("203.0.113.7, 10.9.9.9")];
    assert_eq!(seen("10.0.0.1", &forwarded), "203.0.113.7");
    assert_eq!(seen("fd00::7", &forwarded), "203.0.113.7");
    assert_eq!(seen("fd00::8", &forwarded), "fd00::8");
}

/// HTTP-3: a server may tell once who sends the requests of a connection; one that tells of a request
/// knows better.
#[tokio::test]
async fn the_peer_is_told_for_a_connection_or_a_request() {
    let (stack, record) = recorded(Config::default());
    let stack = stack.with_shortcut(|request| {
        (request.uri.path() == "/probe").then(|| Shortcut {
            route: "/probe",
            content_type: HeaderValue::from_static("text/plain"),
            body: bytes::Bytes::new(),
        })
    });
    let service = stack.layer(answering(|request| {
        let peer: &Peer = request.extensions().get().unwrap();
        Response::new(Body::from(peer.address.ip().to_string()))
    }));
    let service = service.with_peer(peer("203.0.113.7", false)).clone();
    assert_eq!(send(service.clone(), get("/")).await.body, "203.0.113.7");
    let mut other = get("/");
    other.extensions_mut().insert(peer("203.0.113.8", false));
    assert_eq!(send(service.clone(), other).await.body, "203.0.113.8");
    send(service, get("/probe")).await;
    let clients = record.all().into_iter().filter(|seen| seen.kind == "finished");
    let clients: Vec<_> = clients.map(|seen| seen.client.unwrap().to_string()).collect();
    assert_eq!(clients, ["203.0.113.7", "203.0.113.8", "203.0.113.7"]);
}

proptest! {
    /// HTTP-3: a client that nobody trusts cannot become another one.
    #[test]
    fn a_forged_header_changes_nothing(
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4),
    ) {
        let lines: Vec<_> =
            lines.iter().filter_map(|line| http::HeaderValue::from_bytes(line).ok()).collect();
        prop_assert_eq!(seen("203.0.113.7", &lines), "203.0.113.7");
        let mut appended = lines;
        appended.push(http::HeaderValue::from_static("203.0.113.7"));
        prop_assert_eq!(seen("10.0.0.1", &appended), "203.0.113.7");
    }
}

/// Without a peer nothing is believed, and nothing is known.
#[tokio::test]
async fn no_peer_no_address() {
    let stack = Stack::new(config(|config| {
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    }));
    let service = stack.unwrap().layer(answering(|request| {
        let context = request.extensions().get::<Context>().unwrap();
        assert_eq!((context.client_address(), context.is_https()), (None, false));
        assert_eq!(context.forwarded_host(), None);
        Response::new(Body::empty())
    }));
    let headers = [("x-forwarded-for", "203.0.113.7"), ("x-forwarded-proto", "https")];
    assert_eq!(send(service, request("GET", "/", &headers)).await.status, 200);
}
