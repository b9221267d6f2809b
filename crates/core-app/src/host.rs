use std::fmt;
use std::future::Future;
use std::sync::Arc;

use core_config::{Generation, Live};
use core_health::Health;
use core_log::Logging;
use core_log::audit::Audit;
use core_metrics::Metrics;
use core_secrets::Secrets;
use core_shutdown::{Priority, Shutdown, Stopping};

use crate::reload::{Cause, Reload};
use crate::tasks::Tasks;
use crate::{BoxError, NoSettings, ReloadError, Reloaded, Settings, TaskBuilder};

/// What the host gives to a service: its settings, and everything that was wired for it. Cheap to
/// clone.
pub struct Host<A = NoSettings>(pub(crate) Arc<Inner<A>>);

pub(crate) struct Inner<A> {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) live: Live<Settings<A>>,
    pub(crate) health: Health,
    pub(crate) metrics: Metrics,
    pub(crate) secrets: Secrets,
    pub(crate) shutdown: Shutdown,
    pub(crate) logging: Option<Logging>,
    pub(crate) audit: Option<Arc<Audit>>,
    pub(crate) tasks: Tasks,
    pub(crate) reload: Reload,
}

impl<A> Clone for Host<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<A> Host<A> {
    /// The service's name.
    pub fn name(&self) -> &'static str {
        self.0.name
    }

    /// The service's version.
    pub fn version(&self) -> &'static str {
        self.0.version
    }

    /// Health: checks, components, latches.
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// Metrics: typed, or by name.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Secrets: by reference, or by path and key.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// The stop: what else has to be done in it, and how far it is.
    pub fn shutdown(&self) -> &Shutdown {
        &self.0.shutdown
    }

    /// The log; none if it is somebody else's.
    pub fn logging(&self) -> Option<&Logging> {
        self.0.logging.as_ref()
    }

    /// The audit file, if there is one, for what the service itself has to prove.
    pub fn audit(&self) -> Option<&Arc<Audit>> {
        self.0.audit.as_ref()
    }

    /// Resolves when the stop begins.
    pub fn stopping(&self) -> Stopping {
        self.0.shutdown.stopping()
    }

    /// Registers something to do when the service stops, by priority: lower first, and among equals
    /// in the order of registration.
    ///
    /// # Errors
    /// [`core_shutdown::Error::Stopping`] if the stop has begun.
    pub fn on_stop<F>(
        &self,
        name: impl Into<String>,
        priority: Priority,
        work: impl FnOnce() -> F + Send + 'static,
    ) -> Result<(), core_shutdown::Error>
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        self.0.shutdown.on_stop(name, priority, work)
    }

    /// Prepares a task that runs as long as the service does, and is watched.
    pub fn task(&self, name: impl Into<String>) -> TaskBuilder<'_> {
        TaskBuilder::new(&self.0.tasks, name.into())
    }
}

impl<A: core_config::Settings> Host<A> {
    /// The settings as they are now, pinned for as long as they are held.
    pub fn settings(&self) -> Arc<Generation<Settings<A>>> {
        self.0.live.get()
    }

    /// The settings as they change: readers, and subscribers that take part in every reload.
    pub fn live(&self) -> &Live<Settings<A>> {
        &self.0.live
    }

    /// Reads the settings again, and applies them if nobody objects.
    ///
    /// `None` if the service is at its end.
    ///
    /// # Errors
    /// [`ReloadError`] with every reason for which they were refused; the old ones stay.
    pub async fn reload(&self) -> Option<Result<Reloaded, ReloadError>> {
        self.reload_for(Cause::Requested).await
    }

    pub(crate) async fn reload_for(&self, cause: Cause) -> Option<Result<Reloaded, ReloadError>> {
        self.0.reload.wait(cause).await
    }
}

impl<A> fmt::Debug for Host<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("name", &self.0.name)
            .field("shutdown", &self.0.shutdown)
            .finish_non_exhaustive()
    }
}
