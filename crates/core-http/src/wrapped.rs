use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{self, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use crate::admission::early_answer;
use crate::answer::Answer;
use crate::finish::Finish;
use crate::future::State;
use crate::{BoxError, Context, Failure, Outcome, Peer, RequestBody, ResponseBody, ResponseFuture};
use crate::{Stack, panics, shortcut};

/// A service inside the [`Stack`], which wraps it by `Layer::layer`.
///
/// Any tower service over HTTP will do: an `axum::Router`, a `tower::service_fn`, a tonic router.
/// It never fails: whatever the service does becomes an answer. A service that is not ready holds
/// its caller back, as tower's contract says; one that fails to get ready answers by 500.
pub struct Wrapped<S> {
    inner: S,
    stack: Arc<Stack>,
    peer: Option<Peer>,
    /// Why the inner service cannot be called.
    broken: Option<Failure>,
}

impl<S> Wrapped<S> {
    pub(crate) fn new(inner: S, stack: Arc<Stack>) -> Self {
        Self { inner, stack, peer: None, broken: None }
    }

    /// Names who sends every request to this one and its clones, unless the request names another.
    ///
    /// For a server that makes a clone for each connection: it does not have to write the [`Peer`]
    /// into every request.
    #[must_use]
    pub fn with_peer(self, peer: Peer) -> Self {
        Self { peer: Some(peer), ..self }
    }
}

impl<S: Clone> Clone for Wrapped<S> {
    fn clone(&self) -> Self {
        // A clone has not been asked whether it is ready.
        let (inner, stack) = (self.inner.clone(), Arc::clone(&self.stack));
        Self { inner, stack, peer: self.peer, broken: None }
    }
}

impl<S, B, RB> Service<Request<B>> for Wrapped<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<RB>>,
    S::Error: Into<BoxError>,
    RB: Body<Data = Bytes>,
    RB::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<RB>>;
    type Error = Infallible;
    type Future = ResponseFuture<S::Future, RB>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        let failure = match panics::catch(|| self.inner.poll_ready(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(()))) => return Poll::Ready(Ok(())),
            Ok(Poll::Ready(Err(error))) => Failure::of(error.into()),
            Err(panicked) => Failure::internal(panicked),
        };
        self.broken = Some(failure);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let peer = parts.extensions.get().copied().or(self.peer);
        if let Some(response) = shortcut::answer(&self.stack, &parts, peer) {
            return ResponseFuture::shortcut(response);
        }
        if let Some(peer) = peer {
            parts.extensions.insert(peer);
        }
        let context = Context::open(&self.stack, &parts);
        let _entered = context.scope().clone().enter();
        let mut finish = Finish::new(context.clone(), parts.version);
        let begun = panics::catch(|| {
            if let Some(failure) = self.broken.take() {
                return State::early(Answer::failed(failure));
            }
            if let Some(answer) = early_answer(&mut finish, &parts) {
                return State::early(answer);
            }
            parts.extensions.insert(context.clone());
            let request = Request::from_parts(parts, RequestBody::new(body, context));
            State::Running { future: self.inner.call(request) }
        });
        let state = begun.unwrap_or_else(|panicked| {
            finish.outcome = Outcome::Panicked;
            State::early(Answer::failed(Failure::internal(panicked)))
        });
        ResponseFuture::new(state, finish)
    }
}

impl<S: fmt::Debug> fmt::Debug for Wrapped<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapped").field("inner", &self.inner).finish_non_exhaustive()
    }
}
