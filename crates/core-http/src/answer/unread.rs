use std::pin::Pin;
use std::task::{self, Poll, ready};

use bytes::{Buf, Bytes};
use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderValue, Response};
use http_body::Body;
use pin_project_lite::pin_project;

use super::Answer;
use crate::{BoxError, Failure, panics};

/// The longest text that is read out of a failed answer, in bytes: an extractor's complaint, and
/// not a page.
const MAX_TEXT: u64 = 4096;

pin_project! {
    /// A failed answer in plain text, which is read before it is replaced: frameworks say there
    /// what is wrong with a request, and handlers what is wrong with themselves.
    pub(crate) struct Reading<B> {
        parts: Option<Parts>,
        #[pin]
        body: B,
        text: Vec<u8>,
    }
}

/// An answer whose text is still to be read. On the heap: failures are few, and every request pays
/// for the size of its future.
pub(crate) type Unread<B> = Pin<Box<Reading<B>>>;

impl<B: Body> Reading<B> {
    /// Takes an answer that has a short text; replaces one that has none at once.
    pub(super) fn new(response: Response<B>) -> Result<Answer<B>, Unread<B>> {
        let (parts, body) = response.into_parts();
        let kind = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        let is_text = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
        let is_short = body.size_hint().upper().is_some_and(|upper| upper <= MAX_TEXT);
        if is_text && is_short && !body.is_end_stream() {
            Err(Box::pin(Self { parts: Some(parts), body, text: Vec::new() }))
        } else {
            let failure = Failure::from(parts.status);
            Ok(Answer::Failed(parts, failure))
        }
    }
}

impl<B> Reading<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Reads to the end and makes the answer.
    pub(crate) fn poll(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Answer<B>> {
        loop {
            let this = self.as_mut().project();
            let frame = match panics::catch(|| this.body.poll_frame(context)) {
                Ok(frame) => ready!(frame).transpose().map_err(Into::into),
                Err(panicked) => Err(panicked.into()),
            };
            match frame {
                Ok(Some(frame)) => this.text.extend(frame.data_ref().map_or(&[][..], Buf::chunk)),
                Ok(None) => return Poll::Ready(self.answer(None)),
                Err(error) => return Poll::Ready(self.answer(Some(error))),
            }
        }
    }

    /// Makes the answer of what has been read so far.
    pub(crate) fn answer(self: Pin<&mut Self>, error: Option<BoxError>) -> Answer<B> {
        let this = self.project();
        let parts = this.parts.take().expect("answers once");
        let text = str::from_utf8(this.text).unwrap_or_default().trim();
        let failure = match error {
            Some(error) => Failure::from(parts.status).with_source(error),
            None => Failure::said(parts.status, text),
        };
        Answer::Failed(parts, failure)
    }
}
