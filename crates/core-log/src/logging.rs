mod core;
mod options;
mod prepared;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use core_types::Secret;
use tracing::Subscriber;
use tracing_log::log;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

pub(crate) use self::core::Core;
pub use self::{options::Options, prepared::Prepared};
use crate::layer::{Bridge, Gate, LogLayer};
use crate::writer::deadline;
use crate::{Config, Error, Level, LevelStatus, Record, panics, place};

/// The log of the process. Cheap to clone; all clones are one.
///
/// It begins by keeping lines in memory, for neither their form nor their level is known before the
/// configuration is; [`configure`](Self::configure) writes what was kept and everything after.
#[derive(Clone)]
pub struct Logging(Arc<Core>);

impl Logging {
    /// Takes over the log of the whole process: everything that `tracing` and `log` report, and
    /// every panic.
    ///
    /// # Errors
    /// [`Error::AlreadyInstalled`] if there is another subscriber or `log` logger;
    /// [`Error::Thread`] if the writer cannot be started.
    pub fn install(options: Options) -> Result<Self, Error> {
        if tracing::dispatcher::has_been_set() {
            return Err(Error::AlreadyInstalled);
        }
        let logging = Self(Arc::new(Core::new(options)?));
        let core = || Arc::clone(&logging.0);
        // First what can be refused, so that a refusal leaves everything as it was.
        log::set_boxed_logger(Box::new(Bridge(core()))).map_err(|_| Error::AlreadyInstalled)?;
        let subscriber = Registry::default().with(Gate(core())).with(LogLayer(core()));
        tracing::subscriber::set_global_default(subscriber).map_err(|_| Error::AlreadyInstalled)?;
        core_types::set_tracer(place::Tracer);
        logging.0.change_levels(|_| ());
        panics::install(&logging.0);
        Ok(logging)
    }

    /// The log as a layer, to be put together with other layers, which may want what the log does
    /// not. The rest of what [`install`](Self::install) does is left to the caller.
    ///
    /// # Errors
    /// [`Error::Thread`] if the writer cannot be started.
    pub fn layer<S>(options: Options) -> Result<(Self, impl Layer<S> + use<S>), Error>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let core = Arc::new(Core::new(options)?);
        core_types::set_tracer(place::Tracer);
        let layer = LogLayer(Arc::clone(&core)).with_filter(Gate(Arc::clone(&core)));
        Ok((Self(core), layer))
    }

    /// Decides form, level and destinations. The first call writes what was kept since the start.
    pub fn configure(&self, config: &Config) {
        self.prepare(config).commit();
    }

    /// Does everything that a new configuration takes and that can fail, and changes nothing.
    ///
    /// A log file that cannot be opened is no failure: it is reported when the change is made, and
    /// the log goes on without it.
    #[must_use = "nothing changes before `commit`"]
    pub fn prepare(&self, config: &Config) -> Prepared {
        Prepared::new(Arc::clone(&self.0), config)
    }

    /// Writes a line at every level, whatever is configured.
    #[expect(clippy::needless_pass_by_value, reason = "nobody writes a line twice")]
    pub fn write(&self, record: Record) {
        self.0.write(&record);
    }

    /// Changes the level of a target, or with `None` of all, for a limited time; then it goes back
    /// to what is configured by itself.
    ///
    /// # Errors
    /// [`Error::Thread`] if the thread that ends the change cannot be started; the change is not
    /// made then.
    pub fn set_level(
        &self,
        target: Option<&str>,
        level: Level,
        lasts: Duration,
    ) -> Result<(), Error> {
        Core::set_level(&self.0, target, level, deadline(lasts))
    }

    /// Ends a change of a level before its time; whether there was one.
    pub fn reset_level(&self, target: Option<&str>) -> bool {
        self.0.reset_level(target)
    }

    /// The level of all and of each target that has its own.
    pub fn levels(&self) -> Vec<LevelStatus> {
        self.0.list_levels()
    }

    /// Tells which values must never be seen: they are replaced wherever they stand in a line.
    /// Replaces what was told before. Values of less than six bytes cannot be looked for.
    pub fn scrub(&self, secrets: &[Secret<String>]) {
        self.0.scrub(secrets);
    }

    /// Has the log file opened again if somebody has moved it: what a rotator's SIGHUP asks for.
    /// Without it that happens at the next line.
    pub fn reopen(&self) {
        self.0.reopen();
    }

    /// Waits until everything that was reported up to now is written; whether it was, in time.
    pub fn flush(&self, timeout: Duration) -> bool {
        self.0.flush(deadline(timeout))
    }

    /// Exports spans from now on, for as long as the process lasts.
    ///
    /// Each span that the level allows goes to the collector when it ends, if its trace is sampled;
    /// its ids are those on the lines. Whether the collector answers is nobody's trouble: spans are
    /// dropped and counted, and the log tells once.
    ///
    /// # Errors
    /// [`Error::Traces`] if spans are exported already, or the certificates cannot be read;
    /// [`Error::Thread`] if the thread cannot be started.
    #[cfg(feature = "otlp")]
    pub fn export_traces(&self, config: crate::otlp::Config) -> Result<(), Error> {
        Core::export(&self.0, config)
    }

    /// Exports a span that `tracing` knows nothing of, if its trace is sampled.
    #[cfg(feature = "otlp")]
    pub fn export_span(&self, span: crate::otlp::Span) {
        if let Some(exporter) = self.0.exporter()
            && span.is_sampled()
        {
            exporter.push(span);
        }
    }

    /// Whether spans are exported.
    #[cfg(feature = "otlp")]
    pub fn is_exporting(&self) -> bool {
        self.0.exporter().is_some()
    }

    /// Exports what is left and no span after it; whether nothing was left when the time was over.
    /// Spans that were left, or that nobody took, are counted as dropped.
    #[cfg(feature = "otlp")]
    pub fn close_traces(&self, timeout: Duration) -> bool {
        self.0.close_traces(deadline(timeout))
    }

    /// Writes what is left and ends the writer's threads; whether everything was written in time.
    /// What is reported afterwards is lost.
    pub fn close(&self, timeout: Duration) -> bool {
        self.0.close(None, timeout)
    }

    /// As [`close`](Self::close), with a line that is the last whatever else happens meanwhile.
    pub fn close_with(&self, last: &Record, timeout: Duration) -> bool {
        self.0.close(Some(last), timeout)
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging").finish_non_exhaustive()
    }
}
