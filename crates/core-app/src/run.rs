//! A service as a whole process.

use std::io::IsTerminal as _;
use std::time::Duration;

use core_log::{Logging, Options, Record};
use core_shutdown::{Reason, Report, Runner, Signal};
use core_types::Chain;
use futures_util::future::{Either, select};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use tracing::Level;

use crate::arguments::{self, Arguments, NoRun, Question};
use crate::assemble::{Built, Ingredients};
use crate::exit::Exit;
use crate::load::{self, Sources};
use crate::outcome::{self, TARGET};
use crate::reload::Cause;
use crate::service::AppService;
use crate::service_manager::ServiceManager;
use crate::watchdog::{Leash, Watchdog};
#[cfg(feature = "otlp")]
use crate::wire;
use crate::wire::log::{LogWire, without_noise};
use crate::wire::secrets::SecretsWire;
use crate::{App, BoxError, Error, Host, Running, healthcheck, hints, modes, say};

/// Under which name this is logged.
const LOG: &str = TARGET;

/// The log has this long to be written at the very end.
const LAST_LINE: Duration = Duration::from_secs(1);
/// What still runs when all is over is left behind after this long.
const LEFT_BEHIND: Duration = Duration::from_millis(100);

/// The whole life of a process, from its arguments to its exit code.
pub(crate) fn process<A, F, S, E>(
    mut app: App<A>,
    start: impl FnOnce(Host<A>) -> F + Send + 'static,
) -> Exit
where
    A: core_config::Settings,
    F: Future<Output = Result<S, E>> + Send + 'static,
    S: AppService,
    E: Into<BoxError>,
{
    let given = app.arguments.take().unwrap_or_else(|| std::env::args_os().skip(1).collect());
    let arguments = match arguments::parse(app.name, app.version, app.about, given) {
        Ok(arguments) => arguments,
        Err(NoRun::Help(text)) => return say::answer(&text),
        Err(NoRun::Usage(text)) => {
            say::aside(&text);
            return Exit::usage();
        }
    };
    let environment = match app.environment.take() {
        Some(environment) => environment,
        None => variables(&mut app.unreadable),
    };
    let is_colored =
        !environment.iter().any(|(name, value)| name == "NO_COLOR" && !value.is_empty());
    // The main thread is the operators': it answers and stops, whatever the app does.
    let ops = match Builder::new_current_thread().thread_name("ops").enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => {
            return failed_early(
                &app,
                Error::Build { component: "runtime", source: source.into() },
            );
        }
    };
    match &arguments.question {
        Some(Question::PrintSchema) => modes::schema::<A>(),
        Some(Question::PrintExample) => {
            modes::example(&load::loader(&app, &arguments, environment))
        }
        Some(Question::VerifyAudit(file, end)) => modes::verify_audit(file, end.as_deref()),
        Some(Question::Healthcheck(probe)) => {
            healthcheck::run(app.name, probe, &load::loader(&app, &arguments, environment))
        }
        Some(question) => {
            let loader = load::loader(&app, &arguments, environment);
            match ops.block_on(Sources::first(&app, loader, &SecretsWire::default())) {
                Ok((sources, loaded)) => {
                    ops.block_on(load::give_back(&sources.secrets));
                    modes::answer(app.name, question, &loaded)
                }
                Err(error) => failed_early(&app, error),
            }
        }
        None => {
            raise_file_limit();
            let log_wire = LogWire::default();
            let observer = log_wire.clone();
            let options = Options::new()
                .with_color(is_colored)
                .with_service(app.name, app.version)
                .with_observer(move |event| observer.observe(event));
            let logging = match Logging::install(options) {
                Ok(logging) => logging,
                Err(source) => {
                    return failed_early(
                        &app,
                        Error::Build { component: "log", source: source.into() },
                    );
                }
            };
            let process = Process { app, arguments, environment, logging, log_wire };
            process.run(ops, start)
        }
    }
}

/// A connection is an open file. What the system allows is usually far more than what a process
/// begins with; where it cannot be had, the limit stays, and accepting waits for a place.
fn raise_file_limit() {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    limit.current = limit.maximum;
    let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, limit);
}

/// The variables that are text; of the others the names.
#[expect(clippy::disallowed_methods, reason = "read once, and handed to the loader")]
fn variables(unreadable: &mut Vec<String>) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for (name, value) in std::env::vars_os() {
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => variables.push((name, value)),
            (Ok(name), Err(_)) => unreadable.push(name),
            // No setting has such a name.
            (Err(_), _) => {}
        }
    }
    variables
}

/// There is no log yet, or it is not wanted.
fn failed_early<A>(app: &App<A>, error: Error) -> Exit {
    hints::refused(app.name, &Chain(&error).to_string());
    Exit::failed(error)
}

struct Process<A> {
    app: App<A>,
    arguments: Arguments,
    environment: Vec<(String, String)>,
    logging: Logging,
    log_wire: LogWire,
}

impl<A: core_config::Settings> Process<A> {
    fn run<F, S, E>(self, ops: Runtime, start: impl FnOnce(Host<A>) -> F + Send + 'static) -> Exit
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: AppService,
        E: Into<BoxError>,
    {
        let (name, logging) = (self.app.name, self.logging.clone());
        let fallback = fallback(&self.arguments);
        let refuse = |component, source| {
            refuse(name, &logging, &fallback, Error::Build { component, source })
        };
        let (watchdog, signals) = match Watchdog::start(logging.clone()) {
            Ok(started) => started,
            Err(source) => return refuse("watchdog", source),
        };
        // The app has threads of its own, as many as there are processors.
        let app = match Builder::new_multi_thread().thread_name("app").enable_all().build() {
            Ok(app) => app,
            Err(source) => return refuse("runtime", source.into()),
        };
        let leash = watchdog.leash();
        let exit = ops.block_on(self.life(&app, &ops, signals, leash, &fallback, start));
        // What still runs is left behind.
        app.shutdown_timeout(LEFT_BEHIND);
        ops.shutdown_timeout(LEFT_BEHIND);
        drop(watchdog);
        exit
    }

    async fn life<F, S, E>(
        mut self,
        app: &Runtime,
        ops: &Runtime,
        mut signals: UnboundedReceiver<Signal>,
        leash: Leash,
        fallback: &core_log::Config,
        start: impl FnOnce(Host<A>) -> F + Send + 'static,
    ) -> Exit
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: AppService,
        E: Into<BoxError>,
    {
        let (name, logging) = (self.app.name, self.logging.clone());
        let refuse = |error: Error| refuse(name, &logging, fallback, error);
        let last_line = |report: &Report| {
            leash.disarm();
            logging.close_with(&outcome::of(report), LAST_LINE);
        };
        let secrets_wire = SecretsWire::default();
        let environment = std::mem::take(&mut self.environment);
        #[cfg(feature = "otlp")]
        let traces = wire::traces::variables(&environment);
        let service_manager = ServiceManager::find(&environment);
        let loader = load::loader(&self.app, &self.arguments, environment);
        let first = Sources::first(&self.app, loader, &secrets_wire);
        let (sources, loaded) =
            match select(Box::pin(first), Box::pin(stop_signal(&mut signals))).await {
                Either::Left((Ok(first), _)) => first,
                Either::Left((Err(error), _)) => return refuse(error),
                Either::Right((signal, _)) => {
                    // Nothing has started, and that is stopped in order.
                    let runner = Runner::new(core_shutdown::Config::default())
                        .expect("the defaults fit each other");
                    runner.shutdown().trigger_at_once(Reason::Signal(signal));
                    let report = runner.run().await;
                    logging.configure(fallback);
                    last_line(&report);
                    return Exit::stopped(report);
                }
            };
        logging.configure(&without_noise(&loaded.settings.host.logging));
        #[cfg(feature = "otlp")]
        wire::traces::export(&logging, &traces, name, self.app.version);

        let secrets = sources.secrets.clone();
        let built = Built::new(Ingredients {
            name,
            version: self.app.version,
            sources,
            loaded,
            logging: Some(logging.clone()),
            log_wire: self.log_wire.clone(),
            secrets_wire,
            leash: Some(leash.clone()),
            service_manager,
            app: app.handle().clone(),
            ops: ops.handle().clone(),
        });
        let built = match built {
            Ok(built) => built,
            Err(error) => {
                load::give_back(&secrets).await;
                return refuse(error);
            }
        };
        let host = built.host.clone();
        let signalled = ops.spawn(follow(signals, host.clone()));
        let bound = match built.bind().await {
            Ok(bound) => bound,
            Err(error) => {
                // What is given up now has not failed.
                host.health().stopping();
                load::give_back(&secrets).await;
                return refuse(error);
            }
        };
        let exit = match bound.spawn(start).await {
            Ok(spawned) => {
                hints::started(name, spawned.app_address, spawned.ops_address, &self.app.hints);
                let report = Running::new(spawned).stopped().await;
                last_line(&report);
                Exit::stopped(report)
            }
            // A start that fails because it is to stop has not failed.
            Err((_, report)) if !matches!(report.reason, Reason::Failed { .. }) => {
                last_line(&report);
                Exit::stopped(report)
            }
            Err((error, report)) => {
                let text = Chain(&error).to_string();
                hints::refused(name, &text);
                tracing::error!(target: LOG, error = text, "the service did not start");
                last_line(&report);
                Exit::failed(error)
            }
        };
        signalled.abort();
        exit
    }
}

/// How the log looks while the configuration is not known, or refused.
fn fallback(arguments: &Arguments) -> core_log::Config {
    let mut config = core_log::Config::default();
    config.json_format = arguments.structured_logging.then_some(true);
    config
}

/// Tells why the service does not start: in the log and on the standard error, in a pipe too.
fn refuse(name: &str, logging: &Logging, fallback: &core_log::Config, error: Error) -> Exit {
    let text = Chain(&error).to_string();
    hints::refused(name, &text);
    logging.configure(fallback);
    let first = text.lines().next().unwrap_or_default().trim_end_matches(':');
    let mut record = Record::new(Level::ERROR, TARGET, first);
    if let Error::Config(error) = &error {
        let problems: Vec<String> = error.problems().iter().map(ToString::to_string).collect();
        record = record.with_json("problems", &serde_json::json!(problems).to_string());
    }
    logging.close_with(&record, LAST_LINE);
    Exit::failed(error)
}

/// Waits for a signal that ends the process; before there is a configuration there is nothing to
/// reload.
async fn stop_signal(signals: &mut UnboundedReceiver<Signal>) -> Signal {
    loop {
        match signals.recv().await {
            Some(Signal::Hangup) => {}
            Some(signal) => return signal,
            None => std::future::pending().await,
        }
    }
}

/// Does what signals ask for: reload, and stop. What a second one asks for is the watchdog's.
async fn follow<A: core_config::Settings>(mut signals: UnboundedReceiver<Signal>, host: Host<A>) {
    let is_at_terminal = std::io::stdin().is_terminal();
    while let Some(signal) = signals.recv().await {
        if signal == Signal::Hangup {
            if let Some(logging) = host.logging() {
                logging.reopen();
            }
            tracing::info!(target: LOG, "SIGHUP: the configuration is read again");
            host.0.reload.ask(Cause::Signal);
        } else if signal == Signal::Interrupt && is_at_terminal {
            host.shutdown().trigger_at_once(Reason::Signal(signal));
        } else {
            host.shutdown().trigger(Reason::Signal(signal));
        }
    }
}
