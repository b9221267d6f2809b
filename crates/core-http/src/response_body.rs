use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::finish::Finish;
use crate::live::add;
use crate::{BoxError, Failure, Outcome, panics};

pin_project! {
    /// A response's body that is counted, polled inside the request's scope, and reported when it
    /// has ended.
    ///
    /// A panic of the handler's body becomes an error, by which the server cuts the connection: the
    /// head is gone, and a body that merely ended would look whole.
    pub struct ResponseBody<B> {
        #[pin]
        content: Content<B>,
        // How many bytes it has in all, if that is known: a server asks for no more.
        length: Option<u64>,
        // Empty once the request is reported.
        finish: Option<Finish>,
    }

    impl<B> PinnedDrop for ResponseBody<B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(finish) = this.finish {
                // What the body's own drop logs belongs to the scope too.
                let _entered = finish.scope().enter();
                this.content.set(Content::Ended);
            }
        }
    }
}

pin_project! {
    #[project = ContentProjection]
    pub(crate) enum Content<B> {
        Handler { #[pin] body: B },
        Own { bytes: Bytes },
        Ended,
    }
}

impl<B> Content<B> {
    /// What there is of our own, once.
    fn take_own(self: Pin<&mut Self>) -> Option<Frame<Bytes>> {
        match self.project() {
            ContentProjection::Own { bytes } if !bytes.is_empty() => {
                Some(Frame::data(std::mem::take(bytes)))
            }
            _ => None,
        }
    }
}

impl<B: Body> Content<B> {
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Handler { body } => body.is_end_stream(),
            Self::Own { bytes } => bytes.is_empty(),
            Self::Ended => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Handler { body } => body.size_hint(),
            Self::Own { bytes } => SizeHint::with_exact(bytes.len() as u64),
            Self::Ended => SizeHint::with_exact(0),
        }
    }
}

impl<B> ResponseBody<B> {
    /// A body of ours whose request is reported already.
    pub(crate) fn reported(bytes: Bytes) -> Self {
        Self { content: Content::Own { bytes }, length: None, finish: None }
    }
}

impl<B: Body> ResponseBody<B> {
    pub(crate) fn response(
        mut parts: Parts,
        mut content: Content<B>,
        mut finish: Finish,
    ) -> Response<Self> {
        if finish.context.is_head() {
            // The length is that of the body that is left out (RFC 9110, section 9.3.2).
            if let Some(length @ 1..) = content.size_hint().exact() {
                add(&mut parts.headers, &CONTENT_LENGTH, &length.into());
            }
            content = Content::Ended;
        }
        let told = parts.headers.get(CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse().ok());
        let length = told.or_else(|| content.size_hint().exact());
        // A server drops these bodies without asking for them.
        finish.whole = content.is_end_stream()
            || parts.status.is_informational()
            || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        Response::from_parts(parts, Self { content, length, finish: Some(finish) })
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(finish) = this.finish.as_mut() else {
            return Poll::Ready(this.content.as_mut().take_own().map(Ok));
        };
        let _entered = finish.scope().enter();
        let polled = match this.content.as_mut().project() {
            ContentProjection::Handler { body } => panics::catch(|| body.poll_frame(context)),
            ContentProjection::Own { .. } | ContentProjection::Ended => {
                Ok(Poll::Ready(this.content.as_mut().take_own().map(Ok)))
            }
        };
        let (outcome, failure) = match polled {
            Ok(frame) => match ready!(frame) {
                Some(Ok(frame)) => {
                    finish.response_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                    // After any of these a server drops the body without asking for its end.
                    finish.whole = frame.is_trailers()
                        || this.length.is_some_and(|length| finish.response_bytes >= length)
                        || this.content.is_end_stream();
                    return Poll::Ready(Some(Ok(frame)));
                }
                None => {
                    finish.whole = true;
                    this.content.set(Content::Ended);
                    *this.finish = None;
                    return Poll::Ready(None);
                }
                Some(Err(error)) => (Outcome::BodyFailed, Failure::internal(error)),
            },
            Err(panicked) => (Outcome::Panicked, Failure::internal(panicked)),
        };
        this.content.set(Content::Ended);
        if let Some(finish) = this.finish.take() {
            finish.cut(outcome, failure.clone());
        }
        Poll::Ready(Some(Err(failure.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("length", &self.length).finish_non_exhaustive()
    }
}
