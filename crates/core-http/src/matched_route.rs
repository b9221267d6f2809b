use std::task::{self, Poll};

use axum::extract::MatchedPath;
use axum::response::IntoResponse;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::{Context, Failure};

/// Tells the stack which route axum's router has chosen.
///
/// To be put on a router by `route_layer`, after its routes; without it every request is reported
/// as `unmatched`.
///
/// ```
/// use axum::{Router, routing::get};
/// use tower_layer::Layer as _;
///
/// let router: Router = Router::new()
///     .route("/users/{id}", get(|| async { "somebody" }))
///     .route_layer(core_http::MatchedRoute);
/// let app = core_http::Stack::new(core_http::Config::default())?.layer(router);
/// # Ok::<(), core_http::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchedRoute;

impl<S> Layer<S> for MatchedRoute {
    type Service = WithMatchedRoute<S>;

    fn layer(&self, inner: S) -> WithMatchedRoute<S> {
        WithMatchedRoute { inner }
    }
}

/// A route that tells the stack its template. Made by [`MatchedRoute`].
#[derive(Clone, Debug)]
pub struct WithMatchedRoute<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for WithMatchedRoute<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let extensions = request.extensions();
        if let (Some(context), Some(path)) =
            (extensions.get::<Context>(), extensions.get::<MatchedPath>())
        {
            context.set_route(path.clone());
        }
        self.inner.call(request)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response<axum::body::Body> {
        Failure::into_response(self)
    }
}
