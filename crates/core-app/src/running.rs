use std::fmt;
use std::net::SocketAddr;

use core_config::Watcher;
use core_shutdown::{Reason, Report, Runner};
use tokio::runtime::Handle;

use crate::arguments::{self, NoRun};
use crate::assemble::{Background, Built, Ingredients, Spawned};
use crate::blocking::blocking;
use crate::load::{self, Sources};
use crate::service::AppService;
use crate::wire::log::LogWire;
use crate::wire::secrets::SecretsWire;
use crate::{App, BoxError, Error, Host, NoSettings};

/// A service that runs inside this process. See [`App::start`].
pub struct Running<A = NoSettings> {
    host: Host<A>,
    runner: Runner,
    app_address: SocketAddr,
    ops_address: SocketAddr,
    background: Background,
    watcher: Option<Watcher>,
}

impl<A: core_config::Settings> Running<A> {
    pub(crate) fn new(spawned: Spawned<A>) -> Self {
        let Spawned { host, runner, app_address, ops_address, background, watcher } = spawned;
        Self { host, runner, app_address, ops_address, background, watcher }
    }

    /// What the service itself was given.
    pub fn host(&self) -> &Host<A> {
        &self.host
    }

    /// Where the app listens.
    pub fn app_address(&self) -> SocketAddr {
        self.app_address
    }

    /// Where the operators' port is.
    pub fn ops_address(&self) -> SocketAddr {
        self.ops_address
    }

    /// Waits until something begins a stop, stops in order, and reports. Probes and metrics are
    /// answered until the end.
    pub async fn stopped(self) -> Report {
        let report = self.runner.run().await;
        // Joins the watcher's thread, which may take a moment.
        let watcher = self.watcher;
        let _ = blocking(move || drop(watcher)).await;
        drop(self.background);
        report
    }

    /// Begins a stop without waiting for balancers, stops in order, and reports.
    pub async fn stop(self) -> Report {
        self.host.shutdown().trigger_at_once(Reason::Requested);
        self.stopped().await
    }
}

impl<A> fmt::Debug for Running<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("app_address", &self.app_address)
            .field("ops_address", &self.ops_address)
            .finish_non_exhaustive()
    }
}

/// Starts a service on the current runtime.
pub(crate) async fn start_here<A, F, S, E>(
    app: App<A>,
    start: impl FnOnce(Host<A>) -> F + Send + 'static,
) -> Result<Running<A>, Error>
where
    A: core_config::Settings,
    F: Future<Output = Result<S, E>> + Send + 'static,
    S: AppService,
    E: Into<BoxError>,
{
    let given = app.arguments.clone().unwrap_or_default();
    let arguments =
        arguments::parse(app.name, app.version, app.about, given).map_err(|no_run| {
            let (NoRun::Help(text) | NoRun::Usage(text)) = no_run;
            Error::Start { source: text.into() }
        })?;
    let environment = app.environment.clone().unwrap_or_default();
    let loader = load::loader(&app, &arguments, environment);
    let secrets_wire = SecretsWire::default();
    let (sources, loaded) = Sources::first(&app, loader, &secrets_wire).await?;
    let runtime = Handle::current();
    let built = Built::new(Ingredients {
        name: app.name,
        version: app.version,
        sources,
        loaded,
        logging: None,
        log_wire: LogWire::default(),
        secrets_wire,
        leash: None,
        service_manager: None,
        app: runtime.clone(),
        ops: runtime,
    })?;
    let spawned = built.bind().await?.spawn(start).await.map_err(|(error, _)| error)?;
    Ok(Running::new(spawned))
}
