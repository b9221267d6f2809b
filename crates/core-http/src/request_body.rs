use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{LengthLimitError, Limited};
use pin_project_lite::pin_project;

use crate::{BoxError, Context};

pin_project! {
    /// A request's body that is counted, and ends with an error past
    /// [`Config::body_limit`](crate::Config::body_limit).
    ///
    /// That error is an [`http_body_util::LengthLimitError`], which axum's extractors answer by 413.
    /// Whatever else a handler makes of it, the stack answers by 413 too.
    pub struct RequestBody<B> {
        #[pin]
        inner: Limited<B>,
        context: Context,
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn new(body: B, context: Context) -> Self {
        Self { inner: Limited::new(body, context.live().body_limit), context }
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = B::Data;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, BoxError>>> {
        let this = self.project();
        let frame = ready!(this.inner.poll_frame(context));
        match &frame {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Buf::remaining);
                this.context.count_request_bytes(bytes);
            }
            Some(Err(error)) if error.is::<LengthLimitError>() => this.context.note_too_large(),
            Some(Err(_)) | None => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBody").field("context", &self.context).finish_non_exhaustive()
    }
}
