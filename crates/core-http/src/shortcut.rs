use bytes::Bytes;
use http::header::{CONTENT_TYPE, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use tokio::time::Instant;

use crate::client::Client;
use crate::context::bounded;
use crate::propagation::{X_REQUEST_ID, request_id};
use crate::{Event, Outcome, Peer, Stack, panics};

/// An answer by 200 that needs no handler, and that no cache may keep.
///
/// Made by what [`Stack::with_shortcut`] is given.
#[derive(Debug)]
pub struct Shortcut {
    /// The route under which the request counts.
    pub route: &'static str,
    /// What the body is.
    pub content_type: HeaderValue,
    /// What there is to say.
    pub body: Bytes,
}

/// The answer to a request that needs no more than an answer: no scope, no trace, no place among
/// those in flight.
pub(crate) fn answer(
    stack: &Stack,
    request: &Parts,
    peer: Option<Peer>,
) -> Option<Response<Bytes>> {
    // Pages of other origins have rules of their own.
    if request.method != Method::GET || request.headers.contains_key(ORIGIN) {
        return None;
    }
    let started = Instant::now();
    // One that panics leaves the request to the service.
    let found = panics::catch(|| stack.shortcut(request)).ok().flatten();
    let Shortcut { route, content_type, body } = found?;
    let live = stack.live();
    let client = Client::resolve(peer.as_ref(), &request.headers, &live.trusted_proxies);
    let response_bytes = body.len() as u64;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    *headers = live.shortcut_headers.clone();
    let id = request_id(&request.headers);
    for (name, value) in [(&CONTENT_TYPE, content_type), (&X_REQUEST_ID, id)] {
        if let Some(empty) = headers.get_mut(name) {
            *empty = value;
        }
    }
    if client.https {
        live.secure(headers, true);
    }
    stack.report(&Event::Finished {
        method: bounded(&request.method),
        path: request.uri.path(),
        route,
        status: Some(StatusCode::OK),
        duration: started.elapsed(),
        request_bytes: 0,
        response_bytes,
        outcome: Outcome::Completed,
        failure: None,
        client: client.address,
    });
    Some(response)
}
