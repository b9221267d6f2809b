use axum::{Router, body::Body, routing::get as route};
use core_http::{Config, Failure, MatchedRoute, Outcome};
use tower::Layer as _;

use crate::support::*;

fn router() -> Router {
    let users = Router::new().route("/{id}", route(|| async { "somebody" }));
    Router::new()
        .nest("/users", users)
        .route("/panic/{id}", route(|| async { panic!("on purpose") as &'static str }))
        .route("/slow/{id}", route(std::future::pending::<()>))
        .route("/failure/{id}", route(|| async { Err::<(), _>(Failure::conflict("not now")) }))
        .route_layer(MatchedRoute)
}

/// HTTP-1: requests are reported by route template, also those that end without an answer.
#[tokio::test(start_paused = true)]
async fn the_template_is_reported() {
    for (path, template, outcome) in [
        ("/users/7", "/users/{id}", Outcome::Completed),
        ("/failure/7", "/failure/{id}", Outcome::Completed),
        ("/panic/7", "/panic/{id}", Outcome::Panicked),
        ("/slow/7", "/slow/{id}", Outcome::TimedOut),
        ("/nowhere/7", "unmatched", Outcome::Completed),
    ] {
        let (stack, record) = recorded(Config::default());
        send(stack.layer(router()), get(path)).await;
        let finished = record.finished();
        assert_eq!((&*finished.route, finished.outcome), (template, Some(outcome)), "{path}");
    }
}

/// HTTP-2: a failure is an axum response.
#[tokio::test]
async fn a_handler_fails_by_a_failure() {
    let (stack, record) = recorded(Config::default());
    let answer = send(stack.layer(router()), get("/failure/7")).await;
    assert_eq!((answer.status.as_u16(), &*answer.error_code()), (409, "CONFLICT"));
    assert_eq!(answer.header("x-error-id"), record.finished().error_id.as_deref());
    // Without the stack it is one too, and the layer for routes does no harm.
    let response = tower::ServiceExt::oneshot(
        router(),
        http::Request::get("/failure/7").body(Body::empty()).unwrap(),
    );
    assert_eq!(response.await.unwrap().status(), 409);
}
