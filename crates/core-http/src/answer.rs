use http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, TRAILER, TRANSFER_ENCODING,
};
use http::response::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body::Body;
use http_body_util::LengthLimitError;

use self::unread::{Reading, Unread};
use crate::admission::body_too_large;
use crate::finish::Finish;
use crate::response_body::{Content, ResponseBody};
use crate::{Context, Failure, Route};

pub(crate) mod unread;

/// What belongs to the body that is replaced. `Content-Range` stays: on a 416 it tells of the file.
const OF_THE_BODY: [HeaderName; 8] = [
    CONTENT_DISPOSITION,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    ETAG,
    LAST_MODIFIED,
    TRAILER,
    TRANSFER_ENCODING,
];

/// What goes out.
pub(crate) enum Answer<B> {
    /// The handler's own answer, and the failure that it tells of.
    Kept(Response<B>, Option<Failure>),
    /// A failure in our shape, under the other headers of what it replaces.
    Failed(Parts, Failure),
    /// A head alone.
    Bodiless(Parts),
}

impl<B> Answer<B> {
    /// A failure that replaces nothing.
    pub(crate) fn failed(failure: Failure) -> Self {
        Self::Failed(Response::new(()).into_parts().0, failure)
    }

    /// Completes the head and hands the books over to the body. To be called inside the scope.
    pub(crate) fn send(self, mut finish: Finish) -> Response<ResponseBody<B>>
    where
        B: Body,
    {
        let (mut parts, content, failure) = match self {
            Self::Kept(response, failure) => {
                let (parts, body) = response.into_parts();
                (parts, Content::Handler { body }, failure)
            }
            Self::Failed(mut parts, failure) => {
                let as_problem = finish.context.prefers_problem();
                parts.status = failure.status();
                for name in &OF_THE_BODY {
                    parts.headers.remove(name);
                }
                failure.head(&mut parts.headers, as_problem);
                let bytes = failure.body(as_problem);
                (parts, Content::Own { bytes }, Some(failure))
            }
            Self::Bodiless(parts) => (parts, Content::Ended, None),
        };
        finish.context.decorate(&mut parts.headers, failure.as_ref());
        finish.status = Some(parts.status);
        if let Some(failure) = failure {
            finish.fail(failure);
        }
        ResponseBody::response(parts, content, finish)
    }
}

/// Decides what becomes of a handler's answer.
pub(crate) fn judge<B: Body>(
    mut response: Response<B>,
    context: &Context,
) -> Result<Answer<B>, Unread<B>> {
    let extensions = response.extensions_mut();
    if let Some(route) = extensions.remove::<Route>() {
        context.set_route(route);
    }
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return Ok(Answer::Kept(response, None));
    }
    let failure = response.extensions_mut().remove::<Failure>();
    let is_structured = is_structured(response.headers());
    if context.is_too_large() && !tells_of_size(status, failure.as_ref(), is_structured) {
        let too_large = body_too_large(context.live().body_limit);
        let (parts, _) = response.into_parts();
        return Ok(Answer::Failed(parts, too_large));
    }
    match failure {
        Some(failure) if context.prefers_problem() => {
            Ok(Answer::Failed(response.into_parts().0, failure))
        }
        Some(failure) => Ok(Answer::Kept(response, Some(failure))),
        // It speaks for itself; the id goes into the head.
        None if is_structured => Ok(Answer::Kept(response, Some(Failure::from(status)))),
        None => Reading::new(response),
    }
}

/// Whether a failure's body is made for programs: then it is not ours to replace.
fn is_structured(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || essence.ends_with("+json")
        || essence.starts_with("application/grpc")
}

/// Whether a handler whose request's body was too large has said something better than 413.
///
/// One that passes the reading's error on, or answers in no shape at all, has not.
fn tells_of_size(status: StatusCode, failure: Option<&Failure>, is_structured: bool) -> bool {
    let is_said = status == StatusCode::PAYLOAD_TOO_LARGE;
    match failure {
        Some(failure) => is_said || !is_caused_by_size(failure),
        None => is_said && is_structured,
    }
}

fn is_caused_by_size(failure: &Failure) -> bool {
    let first = std::error::Error::source(failure);
    let mut causes = std::iter::successors(first, |cause| cause.source());
    causes.any(<dyn std::error::Error>::is::<LengthLimitError>)
}
