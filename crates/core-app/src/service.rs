use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use core_health::Health;
use core_http::{Context as RequestContext, Failure, RequestBody};
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::BoxError;

/// The body of a request, as the app reads it.
pub type Body = RequestBody<Incoming>;

/// Any tower service that answers HTTP: an axum `Router`, a tonic one, a `service_fn`.
///
/// Implemented for every `Service<Request<Body>>` that can be cloned and shared, whose futures can
/// be sent, and whose responses have a body of `Bytes`. Nothing to implement by hand.
pub trait AppService:
    Service<
        Request<Body>,
        Response = Response<Self::ResponseBody>,
        Error: Into<BoxError>,
        Future: Send + 'static,
    > + Clone
    + Send
    + Sync
    + 'static
{
    /// The body of its responses.
    type ResponseBody: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static;
}

impl<S, B> AppService for S
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type ResponseBody = B;
}

/// What stands before the app on its port: probes, which answer from the first moment on, and a
/// polite refusal until the app is there.
pub(crate) struct Front<S> {
    health: Health,
    app: Arc<OnceLock<S>>,
}

impl<S> Front<S> {
    pub(crate) fn new(health: Health) -> Self {
        Self { health, app: Arc::new(OnceLock::new()) }
    }

    /// Where the app goes when it is there.
    pub(crate) fn slot(&self) -> Arc<OnceLock<S>> {
        Arc::clone(&self.app)
    }
}

impl<S> Clone for Front<S> {
    fn clone(&self) -> Self {
        let app = Arc::clone(&self.app);
        Self { health: self.health.clone(), app }
    }
}

type FrontBody<B> = Either<Full<Bytes>, Unified<B>>;
type FrontFuture<B> =
    Pin<Box<dyn Future<Output = Result<Response<FrontBody<B>>, BoxError>> + Send>>;

impl<S: AppService> Service<Request<Body>> for Front<S> {
    type Response = Response<FrontBody<S::ResponseBody>>;
    type Error = BoxError;
    type Future = FrontFuture<S::ResponseBody>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // The app's own readiness is awaited with its call, on a clone of its own.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let front = self.clone();
        Box::pin(async move { front.answer(request).await })
    }
}

impl<S: AppService> Front<S> {
    async fn answer(
        &self,
        request: Request<Body>,
    ) -> Result<Response<FrontBody<S::ResponseBody>>, BoxError> {
        let (parts, body) = request.into_parts();
        name_route(&parts, core_health::probe(parts.uri.path()));
        if let Some(probe) = self.health.respond(&parts, false) {
            return Ok(probe.map(|bytes| Either::Left(Full::new(bytes))));
        }
        let Some(app) = self.app.get() else {
            let failure = Failure::unavailable("the service is starting")
                .with_retry_after(std::time::Duration::from_secs(1));
            let response: Response<Bytes> = failure.into_response();
            return Ok(response.map(|bytes| Either::Left(Full::new(bytes))));
        };
        let mut app = app.clone();
        std::future::poll_fn(|context| app.poll_ready(context)).await.map_err(Into::into)?;
        let response = app.call(Request::from_parts(parts, body)).await.map_err(Into::into)?;
        Ok(response.map(|body| Either::Right(Unified { body })))
    }
}

/// Names the template of a path for log and metrics, whatever the answer will be.
pub(crate) fn name_route(parts: &http::request::Parts, template: Option<&'static str>) {
    if let (Some(context), Some(template)) = (parts.extensions.get::<RequestContext>(), template) {
        context.set_route(template);
    }
}

pin_project! {
    /// A body whose errors are all of one type.
    pub(crate) struct Unified<B> {
        #[pin]
        body: B,
    }
}

impl<B: http_body::Body<Data = Bytes, Error: Into<BoxError>>> http_body::Body for Unified<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(context).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
