use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use core_health::{Component, Health};
use core_metrics::{CounterFamily, Metrics};
use core_shutdown::{Reason, Shutdown};
use core_types::{Chain, panic_message};
use futures_util::FutureExt as _;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::{BoxError, Error};

/// Under which name this is logged.
const LOG: &str = "core_app::tasks";

/// What becomes of a task that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// It is not begun again.
    Never,
    /// It is begun again after a pause: one second, and twice as long after each further failure,
    /// up to thirty. A task that has run for a minute begins with one second again.
    Always,
}

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who has run so long has recovered.
const RECOVERED: Duration = Duration::from_secs(60);

/// Runs the service's tasks, and watches them: nothing dies silently.
#[derive(Clone)]
pub(crate) struct Tasks {
    runtime: Handle,
    health: Health,
    shutdown: Shutdown,
    restarts: CounterFamily<1>,
    running: Arc<Mutex<Vec<JoinHandle<()>>>>,
    /// Kept to the end: a component that is dropped shows as failed.
    components: Arc<Mutex<Vec<Arc<Component>>>>,
}

impl Tasks {
    pub(crate) fn new(
        runtime: Handle,
        health: Health,
        shutdown: Shutdown,
        metrics: &Metrics,
    ) -> Result<Self, Error> {
        let help = "Tasks that failed, by name.";
        let restarts = metrics
            .counter_family("task_failures_total", help, ["task"])
            .map_err(|error| Error::Build { component: "metrics", source: error.into() })?;
        Ok(Self {
            runtime,
            health,
            shutdown,
            restarts,
            running: Arc::default(),
            components: Arc::default(),
        })
    }

    fn keep(&self, task: JoinHandle<()>, component: Arc<Component>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|task| !task.is_finished());
        running.push(task);
        self.components.lock().unwrap_or_else(PoisonError::into_inner).push(component);
    }

    /// Ends every task that has not ended by itself.
    pub(crate) async fn stop(&self) {
        let running =
            std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.iter().for_each(JoinHandle::abort);
        for task in running {
            // A task that was cut off says so, and that is what was asked for.
            let _ = task.await;
        }
    }
}

/// A task that is about to be started.
#[must_use = "a task runs once it is spawned"]
pub struct TaskBuilder<'h> {
    tasks: &'h Tasks,
    name: String,
    is_critical: bool,
    restart: Restart,
}

impl<'h> TaskBuilder<'h> {
    pub(crate) fn new(tasks: &'h Tasks, name: String) -> Self {
        Self { tasks, name, is_critical: false, restart: Restart::Never }
    }

    /// A failure that is not followed by a restart stops the service, with its cause. Without
    /// this, health degrades and the service goes on.
    pub fn critical(mut self) -> Self {
        self.is_critical = true;
        self
    }

    /// What becomes of the task if it fails. Default: [`Restart::Never`].
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// Starts the task. `work` makes its future, again after each failure.
    ///
    /// A task fails by an error or a panic; `Ok` is its proper end. What still runs when the
    /// service stops is cut off at priority 9, behind the critical callbacks and before those that
    /// close databases: a task that has something
    /// to finish watches [`Host::stopping`](crate::Host::stopping), or has a callback that waits
    /// for it.
    ///
    /// # Errors
    /// [`Error::Build`] if the name is not fit for a check (`a-z`, `0-9`, `_`, `.`, `-`), or taken.
    pub fn spawn<F, E>(self, work: impl Fn() -> F + Send + Sync + 'static) -> Result<(), Error>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let Self { tasks, name, is_critical, restart } = self;
        let component = tasks
            .health
            .component(&format!("task.{name}"))
            .map_err(|error| Error::Build { component: "task", source: error.into() })?;
        component.healthy();
        let component = Arc::new(component);
        let kept = Arc::clone(&component);
        let work = move || work().map(|result| result.map_err(Into::into));
        let supervisor = Supervisor { tasks: tasks.clone(), name, is_critical, restart, component };
        tasks.keep(tasks.runtime.spawn(supervisor.run(work)), kept);
        Ok(())
    }
}

struct Supervisor {
    tasks: Tasks,
    name: String,
    is_critical: bool,
    restart: Restart,
    component: Arc<Component>,
}

impl Supervisor {
    async fn run<F>(self, work: impl Fn() -> F + Send)
    where
        F: Future<Output = Result<(), BoxError>> + Send,
    {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let Err(cause) = self.once(&work).await else {
                tracing::debug!(target: LOG, task = self.name, "task ended");
                return self.component.healthy();
            };
            if self.tasks.shutdown.stopping().has_begun() {
                return tracing::debug!(target: LOG, task = self.name, error = cause, "task ended by the stop");
            }
            self.tasks.restarts.with([&self.name]).increment();
            if self.restart == Restart::Never {
                return self.give_up(&cause);
            }
            if began.elapsed() >= RECOVERED {
                pause = FIRST_PAUSE;
            }
            let restart_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            tracing::error!(target: LOG, task = self.name, error = cause, restart_in_ms, "task failed");
            self.component.degraded(&format!("failed, is begun again: {cause}"));
            sleep(pause).await;
            self.component.healthy();
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs the work until it ends, one way or another. What makes the future may panic, too.
    async fn once<F>(&self, work: &(impl Fn() -> F + Send)) -> Result<(), String>
    where
        F: Future<Output = Result<(), BoxError>> + Send,
    {
        let made = std::panic::catch_unwind(AssertUnwindSafe(work));
        let result = match made {
            Ok(future) => AssertUnwindSafe(future).catch_unwind().await,
            Err(panic) => Err(panic),
        };
        match result {
            Ok(result) => result.map_err(|error| Chain(&*error).to_string()),
            Err(panic) => Err(format!("panicked: {}", panic_message(&*panic))),
        }
    }

    fn give_up(&self, cause: &str) {
        tracing::error!(target: LOG, task = self.name, error = cause, "task failed and is not begun again");
        if self.is_critical {
            let cause = format!("task `{}` failed: {cause}", self.name);
            self.component.unhealthy(&cause);
            self.tasks.shutdown.trigger(Reason::Failed { cause });
        } else {
            self.component.degraded(&format!("failed: {cause}"));
        }
    }
}
