use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep_until};

use crate::answer::{Answer, judge, unread::Unread};
use crate::finish::Finish;
use crate::{BoxError, Context, Failure, Outcome, ResponseBody, panics};

pin_project! {
    /// A request on its way through the stack and the service.
    ///
    /// # Cancel safety
    /// Dropping it drops the handler, inside the request's scope, and reports the client as gone.
    ///
    /// # Panics
    /// When it is polled outside of a tokio runtime with time, unless
    /// [`Config::request_timeout`](crate::Config::request_timeout) is off or the handler answers
    /// at once.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, B> {
        #[pin]
        state: State<F, B>,
        // Made when the handler first waits: most answers need no timer.
        #[pin]
        sleep: Option<Sleep>,
        // Goes with the answer.
        finish: Option<Finish>,
    }

    impl<F, B> PinnedDrop for ResponseFuture<F, B> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(finish) = this.finish {
                // What the handler's own drop logs belongs to the scope too.
                let _entered = finish.scope().enter();
                this.state.set(State::Done);
            }
        }
    }
}

pin_project! {
    #[project = StateProjection]
    pub(crate) enum State<F, B> {
        // Answered before a scope was opened.
        Shortcut { response: Option<Response<Bytes>> },
        // Decided without the handler.
        Early { answer: Option<Box<Answer<B>>> },
        // The handler works.
        Running { #[pin] future: F },
        // The handler has answered by a failure in plain text, which is read.
        Reading { unread: Unread<B> },
        Done,
    }
}

impl<F, B> State<F, B> {
    pub(crate) fn early(answer: Answer<B>) -> Self {
        Self::Early { answer: Some(Box::new(answer)) }
    }
}

impl<F, B> ResponseFuture<F, B> {
    pub(crate) fn shortcut(response: Response<Bytes>) -> Self {
        let state = State::Shortcut { response: Some(response) };
        Self { state, sleep: None, finish: None }
    }

    pub(crate) fn new(state: State<F, B>, finish: Finish) -> Self {
        Self { state, sleep: None, finish: Some(finish) }
    }
}

impl<F, B, E> Future for ResponseFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StateProjection::Shortcut { response } = this.state.as_mut().project() {
            let response = response.take().expect("not polled after its end");
            return Poll::Ready(Ok(response.map(ResponseBody::reported)));
        }
        let finish = this.finish.as_mut().expect("not polled after its end");
        let _entered = finish.scope().enter();
        let answer = loop {
            let judged = match this.state.as_mut().project() {
                StateProjection::Early { answer } => Ok(*answer.take().expect("answers once")),
                StateProjection::Running { future } => {
                    match panics::catch(|| future.poll(context)) {
                        Ok(Poll::Ready(Ok(response))) => judge(response, &finish.context),
                        Ok(Poll::Ready(Err(error))) => {
                            Ok(Answer::failed(Failure::of(error.into())))
                        }
                        Ok(Poll::Pending) if is_late(this.sleep.as_mut(), finish, context) => {
                            finish.outcome = Outcome::TimedOut;
                            Ok(Answer::failed(too_late()))
                        }
                        Ok(Poll::Pending) => return Poll::Pending,
                        Err(panicked) => {
                            finish.outcome = Outcome::Panicked;
                            Ok(Answer::failed(Failure::internal(panicked)))
                        }
                    }
                }
                StateProjection::Reading { unread } => match unread.as_mut().poll(context) {
                    Poll::Ready(answer) => Ok(answer),
                    // What was read by then has to do.
                    Poll::Pending if is_late(this.sleep.as_mut(), finish, context) => {
                        Ok(unread.as_mut().answer(None))
                    }
                    Poll::Pending => return Poll::Pending,
                },
                StateProjection::Shortcut { .. } | StateProjection::Done => {
                    unreachable!("the answer was taken with the books")
                }
            };
            // The handler ends here, in its own scope and before its answer goes out. A panic of
            // its drop has been told of by the hook, and changes nothing about the answer.
            let _ = panics::catch(|| this.state.set(State::Done));
            match judged {
                Ok(answer) => break answer,
                Err(unread) => this.state.set(State::Reading { unread }),
            }
        };
        let finish = this.finish.take().expect("there since the beginning");
        Poll::Ready(Ok(answer.send(finish)))
    }
}

/// Whether the time is over. Arranges to be woken then.
fn is_late(
    mut sleep: Pin<&mut Option<Sleep>>,
    finish: &Finish,
    context: &mut task::Context<'_>,
) -> bool {
    if sleep.is_none() {
        let Some(deadline) = finish.context.deadline() else { return false };
        sleep.set(Some(sleep_until(deadline)));
    }
    sleep.as_pin_mut().is_some_and(|sleep| sleep.poll(context).is_ready())
}

/// 504: balancers, clients and alerts know it as "took too long". 408 would blame the client, and
/// browsers repeat a request after it, even a POST; 503 would say that nobody had begun.
fn too_late() -> Failure {
    let message = "the service took too long to answer";
    Failure::new(StatusCode::GATEWAY_TIMEOUT, "REQUEST_TIMEOUT", message)
}

impl<F, B> fmt::Debug for ResponseFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context: Option<&Context> = self.finish.as_ref().map(|finish| &finish.context);
        f.debug_struct("ResponseFuture").field("context", &context).finish_non_exhaustive()
    }
}
