use bytes::Bytes;
use http::header::ORIGIN;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use tokio::time::Instant;

use crate::client::Client;
use crate::context::bounded;
use crate::propagation::{X_REQUEST_ID, request_id};
use crate::{Event, Outcome, Peer, Stack, panics};

/// The answer to a request that needs no more than an answer: no scope, no trace, no place among
/// those in flight.
pub(crate) fn answer(
    stack: &Stack,
    request: &Parts,
    peer: Option<Peer>,
) -> Option<Response<Bytes>> {
    let is_plain = matches!(request.method, Method::GET | Method::HEAD)
        // Pages of other origins have rules of their own.
        && !request.headers.contains_key(ORIGIN);
    if !is_plain {
        return None;
    }
    let started = Instant::now();
    let mut found = None;
    // One that panics leaves the request to the service.
    let _ = panics::catch(|| found = stack.shortcut(request));
    let (route, mut response) = found?;
    if response.status() != StatusCode::OK {
        return None;
    }
    let live = stack.live();
    let client = Client::resolve(peer.as_ref(), &request.headers, &live.trusted_proxies);
    let headers = response.headers_mut();
    let _ = headers.try_insert(&X_REQUEST_ID, request_id(&request.headers));
    live.secure(headers, client.https);
    stack.report(&Event::Finished {
        method: bounded(&request.method),
        path: request.uri.path(),
        route: route.as_str(),
        status: Some(StatusCode::OK),
        duration: started.elapsed(),
        request_bytes: 0,
        response_bytes: response.body().len() as u64,
        outcome: Outcome::Completed,
        failure: None,
        client: client.address,
    });
    Some(response)
}
