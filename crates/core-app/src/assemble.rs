//! Build, then bind, then spawn: each step can fail in its own way, and none does another's work.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use core_config::{Loaded, Watcher};
use core_health::{Health, Latch};
use core_http::Stack;
use core_log::audit::Audit;
use core_log::{Logging, Record};
use core_metrics::Metrics;
use core_shutdown::{Phase, Priority, Report, Runner};
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinHandle};
use tower_layer::Layer as _;
use tracing::Level;

use crate::blocking::blocking;
use crate::listen::{Bound as Port, Limits};
use crate::load::{self, Sources};
use crate::ops::OpsService;
use crate::outcome::TARGET;
use crate::reload::{Cause, Reloader, reloader};
use crate::service::{AppService, Front};
use crate::service_manager::ServiceManager;
use crate::stall::StallWatch;
use crate::tasks::Tasks;
use crate::watchdog::Leash;
use crate::wire::log::LogWire;
use crate::wire::secrets::SecretsWire;
use crate::wire::{self, http::RequestMetrics};
use crate::{BoxError, Error, Host, Settings, host};

/// Under which name this is logged.
const LOG: &str = TARGET;

/// Tasks of a start that failed have this long to be cut off.
const TASKS: Duration = Duration::from_secs(1);

/// As many connections as operators and their tools need. Who takes one and says nothing does not
/// keep probes away for long.
const OPS_LIMITS: Limits =
    Limits { connections: 256, head: Duration::from_secs(10), are_answers_short: true };

/// As long as balancers keep idle connections.
const APP_HEAD: Duration = Duration::from_secs(60);

/// What a service is built from.
pub(crate) struct Ingredients<A> {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) sources: Sources<A>,
    pub(crate) loaded: Loaded<Settings<A>>,
    pub(crate) logging: Option<Logging>,
    pub(crate) log_wire: LogWire,
    pub(crate) secrets_wire: SecretsWire,
    pub(crate) leash: Option<Leash>,
    pub(crate) service_manager: Option<ServiceManager>,
    /// Where the app runs.
    pub(crate) app: Handle,
    /// Where the operators' port and the stop run: a stalled app does not stall them.
    pub(crate) ops: Handle,
}

/// A service whose parts are made and wired. Nothing runs yet.
pub(crate) struct Built<A> {
    pub(crate) host: Host<A>,
    runner: Runner,
    reloader: Reloader<A>,
    paths: Vec<std::path::PathBuf>,
    requests: RequestMetrics,
    app_stack: Stack,
    start: Latch,
    service_manager: Option<ServiceManager>,
    /// Of a process of its own; a part of one shares its runtime with others.
    stall_watch: Option<StallWatch>,
    secrets_health: Pin<Box<dyn Future<Output = ()> + Send>>,
    app: Handle,
    ops: Handle,
}

fn refused<E: Into<BoxError>>(component: &'static str) -> impl Fn(E) -> Error {
    move |source| Error::Build { component, source: source.into() }
}

impl<A: core_config::Settings> Built<A> {
    pub(crate) fn new(ingredients: Ingredients<A>) -> Result<Self, Error> {
        let Ingredients { name, version, sources, loaded, logging, leash, app, ops, .. } =
            ingredients;
        let service_manager = ingredients.service_manager;
        let told = service_manager.clone();
        let config = loaded.settings.host.clone();
        let audit = config.ops.audit_file.as_deref().map(Audit::open).transpose();
        let audit = audit.map_err(refused("audit"))?.map(Arc::new);
        let metrics = Metrics::new(config.metrics.clone());
        metrics.build_info(name, version);
        metrics.process();
        let health = Health::new(config.health.clone(), version)
            .map_err(refused("health"))?
            .with_observer(wire::health::observer(&metrics).map_err(refused("metrics"))?);
        wire::health::to_metrics(&health, &metrics);
        let configuration = health.component("configuration").map_err(refused("health"))?;
        let start = health.latch("start").map_err(refused("health"))?;
        if logging.is_some() {
            ingredients.log_wire.connect(&health, &metrics)?;
        }

        let stall_watch = leash
            .is_some()
            .then(|| StallWatch::new(app.clone(), &config.runtime, &health, &metrics))
            .transpose()?;
        let timeout = config.server.shutdown_timeout.get();
        if let Some(leash) = &leash {
            leash.budget(timeout);
        }
        let callbacks = app.clone();
        let runner = Runner::new(config.server.shutdown())
            .map_err(refused("shutdown"))?
            .with_observer(move |event| {
                wire::shutdown::observe(event, leash.as_ref(), told.as_ref(), timeout);
            })
            .with_spawner(move |callback| {
                callbacks.spawn(callback);
            });
        let shutdown = runner.shutdown();
        wire::shutdown::to_metrics(&shutdown, &metrics);

        let known = loaded.secrets.clone();
        let catalog = Arc::new(sources.loader.catalog());
        let warned = loaded.warnings.clone();
        let live = wire::config::live(loaded, &metrics, configuration, Arc::clone(&catalog))?;
        wire::config::to_metrics(&live, &metrics, Arc::clone(&catalog));
        let requests =
            RequestMetrics::new(&metrics, logging.as_ref()).map_err(refused("metrics"))?;
        let in_flight = shutdown.in_flight().clone();
        let app_stack = wire::http::stack(
            config.http.clone(),
            "app",
            requests.clone(),
            Some(in_flight),
            health.clone(),
        )
        .map_err(refused("http"))?;
        wire::config::to_http(&live, &app_stack);
        let scrub = logging.clone().map(|logging| {
            wire::config::to_log(&live, &logging);
            wire::secrets::Scrub::new(logging, sources.secrets.clone(), known)
        });

        let tasks = Tasks::new(app.clone(), health.clone(), shutdown.clone(), &metrics)?;
        let (secrets, paths) = (sources.secrets.clone(), sources.loader.paths());
        let changed = ingredients.secrets_wire.changed();
        let secrets_health =
            wire::health::secrets(&health, secrets.clone(), changed).map_err(refused("health"))?;
        if stall_watch.is_some() {
            wire::health::resources(&health, &live).map_err(refused("health"))?;
        }
        let (reload, reloader) = reloader(sources, live.clone(), scrub, catalog, warned);
        let reloader = reloader.with_service_manager(service_manager.clone());
        ingredients.secrets_wire.connect(&metrics, reload.clone())?;
        let host = Host(Arc::new(host::Inner {
            name,
            version,
            live,
            health,
            metrics,
            secrets,
            shutdown,
            logging,
            audit,
            tasks,
            reload,
        }));
        Ok(Self {
            host,
            runner,
            reloader,
            paths,
            requests,
            app_stack,
            start,
            service_manager,
            stall_watch,
            secrets_health: Box::pin(secrets_health),
            app,
            ops,
        })
    }

    /// Takes the ports: the operators' first, so that there is somebody to ask when the other fails.
    pub(crate) async fn bind(self) -> Result<Bound<A>, Error> {
        let config = &self.host.settings().host;
        let ops = Port::bind(config.ops.bind_address, "ops.bind_address").await?;
        let app = Port::bind(config.server.bind_address, "server.bind_address").await?;
        announce(self.host.logging(), "ops", ops.address());
        announce(self.host.logging(), "app", app.address());
        Ok(Bound { built: self, ops_port: ops, app_port: app })
    }
}

/// One line for each port, at every level: tests, scripts and people look for it.
fn announce(logging: Option<&Logging>, listener: &str, address: SocketAddr) {
    if let Some(logging) = logging {
        let record = Record::new(Level::INFO, TARGET, "listening");
        let record = record.with_text("listener", listener);
        logging.write(record.with_text("address", &address.to_string()));
    }
}

/// A service that has its ports. Nobody answers yet.
pub(crate) struct Bound<A> {
    built: Built<A>,
    ops_port: Port,
    app_port: Port,
}

/// A service that answers: probes at least, and the app once it has started.
pub(crate) struct Spawned<A> {
    pub(crate) host: Host<A>,
    pub(crate) runner: Runner,
    pub(crate) app_address: SocketAddr,
    pub(crate) ops_address: SocketAddr,
    /// What runs for as long as there is anything to ask, and is cut off at the very end.
    pub(crate) background: Background,
    pub(crate) watcher: Option<Watcher>,
}

impl<A: core_config::Settings> Bound<A> {
    /// Answers probes, runs the service's own start, and lets traffic in.
    pub(crate) async fn spawn<F, S, E>(
        self,
        start: impl FnOnce(Host<A>) -> F + Send + 'static,
    ) -> Result<Spawned<A>, (Error, Report)>
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: AppService,
        E: Into<BoxError>,
    {
        let Self { mut built, ops_port, app_port } = self;
        let (ops_address, app_address) = (ops_port.address(), app_port.address());
        let host = built.host.clone();

        let front: Front<S> = Front::new(host.health().clone());
        let slot = front.slot();
        let mut background = match built.serve_ops(ops_port) {
            Ok(served) => Background(vec![served]),
            Err(error) => return Err(give_up(built.runner, &host, None, error).await),
        };
        if let Err(error) = built.serve_app(app_port, front) {
            return Err(give_up(built.runner, &host, None, error).await);
        }
        background.0.push(built.app.spawn(host.health().run()));
        // What runs others' code, such as a backend's, runs where it holds up no operator.
        let keeping = built.app.spawn(host.secrets().run());
        let keep_no_longer = keeping.abort_handle();
        background.0.push(keeping);
        background.0.push(built.app.spawn(built.secrets_health));
        background.0.push(built.app.spawn(built.reloader.run()));
        if let Some(stall_watch) = built.stall_watch.take() {
            background.0.push(built.ops.spawn(stall_watch.run()));
        }
        if let Some(service_manager) = built.service_manager.clone() {
            let health = host.health().clone();
            background.0.push(built.ops.spawn(service_manager.keep_alive(health)));
        }
        let watcher = match watch(&host, built.paths) {
            Ok(watcher) => watcher,
            Err(error) => {
                return Err(give_up(built.runner, &host, Some(&keep_no_longer), error).await);
            }
        };

        match run_start(&built.app, &host, start).await {
            Ok(service) => fill(&slot, service),
            Err(error) => {
                return Err(give_up(built.runner, &host, Some(&keep_no_longer), error).await);
            }
        }
        if let Err(error) = give_back(&host, keep_no_longer.clone()) {
            return Err(give_up(built.runner, &host, Some(&keep_no_longer), error).await);
        }
        built.start.release();
        if let Some(service_manager) = &built.service_manager {
            service_manager.started();
        }
        tracing::info!(target: LOG, name = host.name(), version = host.version(), "started");
        Ok(Spawned { host, runner: built.runner, app_address, ops_address, background, watcher })
    }
}

impl<A: core_config::Settings> Built<A> {
    fn serve_ops(&self, port: Port) -> Result<JoinHandle<()>, Error> {
        let mut config = core_http::Config::default();
        // Nothing here is a page, and probes come all day: what only pages need is left out.
        let unneeded = &mut config.security_headers;
        unneeded.xss_protection.clear();
        unneeded.content_security_policy.clear();
        unneeded.referrer_policy.clear();
        unneeded.permissions_policy.clear();
        let stack = wire::http::stack(
            config,
            "ops",
            self.requests.clone(),
            None,
            self.host.health().clone(),
        )
        .map_err(refused("http"))?;
        let service = stack.layer(OpsService::new(self.host.clone()));
        let (serve, door) =
            port.serve(move |peer| service.clone().with_peer(peer), OPS_LIMITS, None);
        Ok(self.ops.spawn(async move {
            serve.await;
            drop(door);
        }))
    }

    /// The app's port, and the steps of the stop that concern it.
    fn serve_app<S: AppService>(&self, port: Port, front: Front<S>) -> Result<(), Error> {
        let most = self.host.settings().host.server.max_connections;
        let connections = usize::try_from(most).unwrap_or(usize::MAX);
        let limits = Limits { connections, head: APP_HEAD, are_answers_short: false };
        let stopping = Some(self.host.stopping());
        let service = self.app_stack.layer(front);
        let (serve, door) =
            port.serve(move |peer| service.clone().with_peer(peer), limits, stopping);
        let door = Arc::new(door);
        let shutdown = self.host.shutdown();
        let health = self.host.health().clone();
        let late = refused("shutdown");
        shutdown
            .at(Phase::Unready, "readiness", || async move {
                health.stopping();
                Ok(())
            })
            .map_err(&late)?;
        let closing = Arc::clone(&door);
        shutdown
            .at(Phase::Close, "listener", || async move {
                closing.close();
                Ok(())
            })
            .map_err(&late)?;
        shutdown
            .at(Phase::Drain, "connections", || async move {
                door.connections().idle().await;
                Ok(())
            })
            .map_err(&late)?;
        let tasks = self.host.0.tasks.clone();
        // Behind what takes work in, and before what tasks work with is closed.
        let priority = Priority::new(9).expect("9 is a priority");
        shutdown
            .on_stop("tasks", priority, || async move {
                tasks.stop().await;
                Ok(())
            })
            .map_err(&late)?;
        if let Some(logging) = self.host.logging().cloned() {
            #[cfg(feature = "otlp")]
            if logging.is_exporting() {
                let logging = logging.clone();
                shutdown.at(Phase::Flush, "traces", || traces(logging)).map_err(&late)?;
            }
            shutdown.at(Phase::Flush, "log", || flush(logging)).map_err(&late)?;
        }
        self.app.spawn(serve);
        Ok(())
    }
}

/// Stops what a start that failed had started.
async fn give_up<A>(
    runner: Runner,
    host: &Host<A>,
    keep_no_longer: Option<&AbortHandle>,
    error: Error,
) -> (Error, Report) {
    // Before the callbacks close what they work with.
    let _ = tokio::time::timeout(TASKS, host.0.tasks.stop()).await;
    let cause = core_types::Chain(&error).to_string();
    let report = runner.unwind(cause).await;
    // What keeps leases must not bring them back.
    keep_no_longer.inspect(|keeping| keeping.abort());
    load::give_back(host.secrets()).await;
    (error, report)
}

/// Waits for the collector, which may be slow or gone.
#[cfg(feature = "otlp")]
async fn traces(logging: Logging) -> Result<(), BoxError> {
    const MOST: std::time::Duration = std::time::Duration::from_secs(1);
    let is_done = blocking(move || logging.close_traces(MOST)).await?;
    if is_done { Ok(()) } else { Err("traces could not be exported in time".into()) }
}

/// Waits for the log's writer, which may be waiting for a disk.
async fn flush(logging: Logging) -> Result<(), BoxError> {
    const MOST: Duration = Duration::from_secs(1);
    let is_written = blocking(move || logging.flush(MOST)).await?;
    if is_written { Ok(()) } else { Err("the log could not be written in time".into()) }
}

/// Secrets that are lent are given back when nobody works with them any more: after the service's
/// own callbacks, all of which it registered in its start.
fn give_back<A: core_config::Settings>(host: &Host<A>, keeping: AbortHandle) -> Result<(), Error> {
    let secrets = host.secrets().clone();
    let settings = host.settings();
    let is_own = |name: &String| matches!(&**name, "env" | "file" | "encrypted");
    if settings.host.secrets.backend.names().iter().all(is_own) {
        return Ok(());
    }
    let close = || async move {
        // What keeps leases must not bring them back.
        keeping.abort();
        secrets.close().await;
        Ok(())
    };
    host.on_stop("secrets", Priority::LAST, close).map_err(refused("shutdown"))
}

fn watch<A: core_config::Settings>(
    host: &Host<A>,
    paths: Vec<std::path::PathBuf>,
) -> Result<Option<Watcher>, Error> {
    let config = &host.settings().host.config;
    if !config.hot_reload || paths.is_empty() {
        return Ok(None);
    }
    let reload = host.0.reload.clone();
    let watcher =
        Watcher::start(paths, config.poll_interval.get(), move || reload.ask(Cause::Edit))?;
    if !watcher.is_notified() {
        tracing::warn!(target: LOG, poll_interval = %config.poll_interval,
            "the operating system does not tell of edits; the configuration files are polled"
        );
    }
    Ok(Some(watcher))
}

/// Runs the service's own start where the service will run, until it ends or a stop cuts it off.
async fn run_start<A, F, S, E>(
    app: &Handle,
    host: &Host<A>,
    start: impl FnOnce(Host<A>) -> F + Send + 'static,
) -> Result<S, Error>
where
    A: core_config::Settings,
    F: Future<Output = Result<S, E>> + Send + 'static,
    S: AppService,
    E: Into<BoxError>,
{
    let given = host.clone();
    // All of it is others' code, what it does before its first wait too.
    let task = app.spawn(async move { start(given).await.map_err(Into::<BoxError>::into) });
    let abort = task.abort_handle();
    let mut stopping = host.stopping();
    let stop = std::pin::pin!(stopping.reason());
    match select(task, stop).await {
        Either::Left((Ok(result), _)) => result.map_err(|source| Error::Start { source }),
        Either::Left((Err(error), _)) => {
            let panic = error.try_into_panic().ok();
            let said =
                panic.as_deref().map_or("was cut off", |panic| core_types::panic_message(panic));
            Err(Error::Start { source: format!("panicked: {said}").into() })
        }
        Either::Right((reason, _)) => {
            abort.abort();
            Err(Error::Interrupted { reason })
        }
    }
}

fn fill<S>(slot: &OnceLock<S>, service: S) {
    // There is one start, and it fills the slot once.
    let _ = slot.set(service);
}

/// Tasks that run until this is dropped.
pub(crate) struct Background(Vec<JoinHandle<()>>);

impl Drop for Background {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}
