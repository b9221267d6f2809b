//! Shows what a service does with the host: correlation scopes, and callbacks on reload, rotation
//! and stop. It edits its own configuration, rotates its own secret, and stops by itself.

mod callbacks;
mod files;
mod scopes;

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use core_app::config::Validate;
use core_app::config::schemars::{self, JsonSchema};
use core_app::shutdown::Reason;
use core_app::types::Secret;
use core_app::{App, BoxError, Exit, Host};
use serde::{Deserialize, Serialize};

use self::callbacks::Heard;
use self::files::Files;

/// The settings of this service, beside those of the host.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    /// What it says.
    greeting: String,
    /// Where the database is; the password in it refers to a secret.
    #[serde(skip_serializing)]
    database_url: Option<Secret<String>>,
}

impl Validate for Settings {}

fn main() -> Result<Exit, BoxError> {
    let files = Files::create()?;
    let app = App::new("features", env!("CARGO_PKG_VERSION"))
        .with_settings::<Settings>()
        .with_arguments([Path::new("--config"), &files.config()]);
    Ok(app.run(|host| start(host, files)))
}

async fn start(host: Host<Settings>, files: Files) -> Result<Router, BoxError> {
    scopes::show();
    let heard = Arc::new(Heard::default());
    callbacks::on_reload(&host, &heard);
    callbacks::on_rotation(&host, &heard)?;
    callbacks::on_stop(&host)?;

    let (operator, files) = (host.clone(), Arc::new(files));
    host.task("operator")
        .critical()
        .spawn(move || operate(operator.clone(), Arc::clone(&files), Arc::clone(&heard)))?;
    Ok(Router::new())
}

/// What an operator would do, from outside.
async fn operate(
    host: Host<Settings>,
    files: Arc<Files>,
    heard: Arc<Heard>,
) -> Result<(), BoxError> {
    files.write_config("good evening")?;
    heard.reload.notified().await;
    files.write_secret("second-password")?;
    heard.rotation.notified().await;
    host.shutdown().trigger_at_once(Reason::Requested);
    Ok(())
}
