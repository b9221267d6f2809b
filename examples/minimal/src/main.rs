//! The least that makes a production service.

use axum::{Router, routing::get};
use core_app::{App, BoxError, Exit, Host, http::MatchedRoute};

fn main() -> Exit {
    App::new("minimal", env!("CARGO_PKG_VERSION")).with_hint("curl -s {app}/").run(start)
}

async fn start(_host: Host) -> Result<Router, BoxError> {
    Ok(Router::new().route("/", get(async || "hello\n")).route_layer(MatchedRoute))
}
