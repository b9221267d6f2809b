use std::time::Duration;

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, CONTENT_LENGTH, LOCATION, ORIGIN};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::answer::Answer;
use crate::finish::Finish;
use crate::{Failure, Outcome};

/// When a client that was turned away may come again: most requests are done by then, and a crowd
/// that waits longer only comes back larger.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the stack answers itself, before the handler hears of the request.
///
/// Redirects and preflights come first: they cost nothing, so load is no reason to refuse them.
pub(crate) fn early_answer<B>(finish: &mut Finish, request: &Parts) -> Option<Answer<B>> {
    redirect(finish, request)
        .or_else(|| preflight(finish, request))
        .or_else(|| shed(finish, request))
        .or_else(|| too_large(finish, request))
}

/// RFC 9110, section 15.4.9: 308 keeps the method and the body, which 301 may lose.
fn redirect<B>(finish: &Finish, request: &Parts) -> Option<Answer<B>> {
    let context = &finish.context;
    let is_plain = context.live().https_redirect && !context.is_https();
    if !is_plain || context.stack().is_never_redirected(request) {
        return None;
    }
    let location = context.host(request).and_then(|host| {
        // `OPTIONS *` and `CONNECT` have no path.
        let path = Some(context.path_and_query()).filter(|path| path.starts_with('/'));
        HeaderValue::try_from(format!("https://{host}{}", path.unwrap_or("/"))).ok()
    });
    let Some(location) = location else {
        return Some(Answer::failed(Failure::bad_request(
            "the header Host is missing or malformed",
        )));
    };
    let mut parts = Response::new(()).into_parts().0;
    parts.status = StatusCode::PERMANENT_REDIRECT;
    parts.headers.insert(LOCATION, location);
    Some(Answer::Bodiless(parts))
}

/// A browser asks what a page of another origin may send.
fn preflight<B>(finish: &Finish, request: &Parts) -> Option<Answer<B>> {
    let context = &finish.context;
    let cors = context.live().cors.as_ref()?;
    let is_preflight = request.method == Method::OPTIONS
        && request.headers.contains_key(ORIGIN)
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    if !is_preflight {
        return None;
    }
    let mut parts = Response::new(()).into_parts().0;
    parts.status = StatusCode::NO_CONTENT;
    if context.is_granted() {
        cors.allow(&mut parts.headers);
    }
    Some(Answer::Bodiless(parts))
}

/// Overload: a quick no to some is better than a slow yes to nobody.
fn shed<B>(finish: &mut Finish, request: &Parts) -> Option<Answer<B>> {
    let stack = finish.context.stack();
    if stack.is_never_shed(request) {
        return None;
    }
    finish.admitted = stack.admit(finish.context.live().max_in_flight);
    if finish.admitted {
        return None;
    }
    finish.outcome = Outcome::Shed;
    let failure = Failure::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "OVERLOADED",
        "the service has as many requests as it can handle",
    );
    Some(Answer::failed(failure.with_retry_after(RETRY_AFTER)))
}

/// A body that says itself how large it is need not be read.
fn too_large<B>(finish: &Finish, request: &Parts) -> Option<Answer<B>> {
    let length = request.headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    let limit = finish.context.live().body_limit;
    (length > limit as u64).then(|| Answer::failed(body_too_large(limit)))
}

/// The failure of a request whose body is larger than is read, in bytes.
pub(crate) fn body_too_large(limit: usize) -> Failure {
    let limit = core_types::ByteSize::from_bytes(limit as u64);
    Failure::payload_too_large(format!("the request's body is larger than {limit}"))
}
