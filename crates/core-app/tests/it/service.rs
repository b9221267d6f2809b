//! The service that the tests start.

use std::fs;
use std::path::PathBuf;

use axum::Router;
use axum::routing::{get, post};
use core_app::config::schemars::{self, JsonSchema};
use core_app::config::{Problems, Validate};
use core_app::types::Secret;
use core_app::{App, BoxError, Host, Running};
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Greeting {
    pub(crate) greeting: String,
    #[serde(skip_serializing)]
    pub(crate) api_key: Option<Secret<String>>,
}

impl Default for Greeting {
    fn default() -> Self {
        Self { greeting: "hello".into(), api_key: None }
    }
}

impl Validate for Greeting {
    fn validate(&self, problems: &mut Problems) {
        problems.require(!self.greeting.is_empty(), "greeting", "must not be empty");
    }
}

pub(crate) const TOKEN: (&str, &str) = ("authorization", "Bearer t0ken");

/// An app on free ports, with a token for operators.
pub(crate) fn app() -> App<Greeting> {
    with(&[])
}

pub(crate) fn with(arguments: &[&str]) -> App<Greeting> {
    let ports =
        ["--set", "server.bind_address=127.0.0.1:0", "--set", "ops.bind_address=127.0.0.1:0"];
    App::new("test", "1.2.3")
        .with_settings::<Greeting>()
        .with_arguments(ports.iter().chain(arguments).copied())
        .with_environment([("TEST_OPS_TOKEN", "t0ken")])
}

pub(crate) async fn routes(host: Host<Greeting>) -> Result<Router, BoxError> {
    let greet = move || {
        let greeting = host.settings().app.greeting.clone();
        async move { greeting }
    };
    Ok(Router::new()
        .route("/greet/{name}", get(greet))
        .route("/echo", post(async |body: String| body))
        .route("/panic", get(panic))
        .route_layer(core_app::http::MatchedRoute))
}

async fn panic() -> &'static str {
    panic!("on purpose")
}

pub(crate) async fn start(app: App<Greeting>) -> Running<Greeting> {
    app.start(routes).await.unwrap()
}

/// A configuration file, gone with the value.
pub(crate) struct File(tempfile::TempDir);

impl File {
    pub(crate) fn new(text: &str) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        file.write(text);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("config.json")
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path(), text).unwrap();
    }
}
