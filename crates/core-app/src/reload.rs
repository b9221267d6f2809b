use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use core_config::{Catalog, Key, Live, Origin, Problem};
use core_secrets::Hold;
use tokio::sync::{mpsc, oneshot};

use crate::Settings;
use crate::blocking::blocking;
use crate::load::Sources;
use crate::service_manager::ServiceManager;
use crate::wire::config::warn;
use crate::wire::secrets::Scrub;

/// Under which name this is logged.
const LOG: &str = "core_app::config";

/// Subscribers have so long to prepare for a change: time for new connections to be made, and no
/// more than those who asked for it are likely to wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// Settings that were read again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The generation that is current now.
    pub generation: u64,
    /// The keys that changed; none if the sources say what they said before.
    pub changed: Vec<Key>,
    /// Those of them that count only after a restart.
    pub pending_restart: Vec<Key>,
    /// The keys that were edited where a stronger source overrides them, each with that source.
    pub without_effect: Vec<(Key, Origin)>,
}

/// Why settings that were read again were refused. The old ones stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reasons}")]
#[non_exhaustive]
pub struct ReloadError {
    /// Every reason, each on a line of its own.
    pub reasons: String,
}

/// Why the settings are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A file has changed.
    Edit,
    /// SIGHUP came.
    Signal,
    /// Somebody with the right to asked for it.
    Requested,
    /// A secret has another value.
    Rotation,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Signal => "SIGHUP",
            Self::Requested => "requested",
            Self::Rotation => "rotation",
        }
    }
}

type Answer = Result<Reloaded, ReloadError>;

struct Request {
    cause: Cause,
    /// Of the value that a rotation has replaced: kept until the new one is in use.
    hold: Option<Hold>,
    answer: Option<oneshot::Sender<Answer>>,
}

/// Asks for the settings to be read again. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reload(mpsc::UnboundedSender<Request>);

impl Reload {
    /// Asks, and does not wait.
    pub(crate) fn ask(&self, cause: Cause) {
        // Without a receiver the service is at its end.
        let _ = self.0.send(Request { cause, hold: None, answer: None });
    }

    /// Asks because a secret has another value, and keeps the lease of the old one until settings
    /// with the new one are in force.
    pub(crate) fn ask_for_rotation(&self, hold: Hold) {
        let _ = self.0.send(Request { cause: Cause::Rotation, hold: Some(hold), answer: None });
    }

    /// Asks, and waits for the answer; `None` when the service is at its end.
    pub(crate) async fn wait(&self, cause: Cause) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        self.0.send(Request { cause, hold: None, answer: Some(sender) }).ok()?;
        answer.await.ok()
    }
}

/// Reads the settings again whenever somebody asks, one after the other.
pub(crate) struct Reloader<A> {
    sources: Sources<A>,
    live: Live<Settings<A>>,
    scrub: Option<Scrub>,
    catalog: Arc<Catalog>,
    /// What was warned of already.
    warned: Vec<Problem>,
    requests: mpsc::UnboundedReceiver<Request>,
    patience: Duration,
    service_manager: Option<ServiceManager>,
    /// Of values that settings in force may still hold.
    holds: Vec<Hold>,
}

/// A way to ask, and what is to be run to answer.
pub(crate) fn reloader<A: core_config::Settings>(
    sources: Sources<A>,
    live: Live<Settings<A>>,
    scrub: Option<Scrub>,
    catalog: Arc<Catalog>,
    warned: Vec<Problem>,
) -> (Reload, Reloader<A>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let reloader = Reloader {
        sources,
        live,
        scrub,
        catalog,
        warned,
        requests,
        patience: PATIENCE,
        service_manager: None,
        holds: Vec::new(),
    };
    (Reload(sender), reloader)
}

impl<A: core_config::Settings> Reloader<A> {
    pub(crate) fn with_service_manager(mut self, service_manager: Option<ServiceManager>) -> Self {
        self.service_manager = service_manager;
        self
    }

    pub(crate) async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let mut answers = Vec::new();
            // Whoever has asked meanwhile is answered by the same reading.
            let mut next = Some(first);
            let mut cause = None;
            while let Some(request) = next {
                cause = cause.or(Some(request.cause));
                self.holds.extend(request.hold);
                answers.extend(request.answer);
                next = self.requests.try_recv().ok();
            }
            tracing::debug!(target: LOG, cause = cause.map(Cause::as_str), "configuration is read again");
            if let Some(service_manager) = &self.service_manager {
                service_manager.reloading();
            }
            let answer = self.again().await;
            // A refusal leaves the old values in use.
            if let Ok(reloaded) = &answer {
                let is_used = !reloaded.changed.is_empty();
                self.holds.drain(..).filter(|_| is_used).for_each(|hold| hold.accept());
            }
            if let Some(service_manager) = &self.service_manager {
                service_manager.reloaded();
            }
            for waiting in answers {
                let _ = waiting.send(answer.clone());
            }
        }
    }

    async fn again(&mut self) -> Answer {
        let refused = |reasons: String| Err(ReloadError { reasons });
        let loaded = match self.sources.again().await {
            Ok(loaded) => loaded,
            Err(reasons) => {
                self.live.refuse(&reasons);
                return refused(reasons);
            }
        };
        if let Some(scrub) = &self.scrub {
            scrub.learn(loaded.secrets.clone());
        }
        let warnings = loaded.warnings.clone();
        let before = self.live.get();
        let vain = loaded.effective.edited_in_vain(&before.effective).into_iter();
        let without_effect: Vec<(Key, Origin)> =
            vain.map(|setting| (setting.key.clone(), setting.origin.clone())).collect();
        let live = self.live.clone();
        // Subscribers may take their time, which is not this thread's.
        let mut applying = pin!(blocking(move || live.apply(loaded)));
        let applied = match tokio::time::timeout(self.patience, &mut applying).await {
            Ok(applied) => applied,
            Err(_) => match self.live.give_up() {
                Some(refusal) => return refused(refusal.to_string()),
                // All have agreed in the last moment.
                None => applying.await,
            },
        };
        match applied {
            Ok(Ok(applied)) => {
                warnings.iter().filter(|warning| !self.warned.contains(warning)).for_each(warn);
                self.warned = warnings;
                for (key, origin) in &without_effect {
                    tracing::warn!(target: LOG, %key, overridden_by = %origin, "an edit has no effect, for a stronger source overrides it");
                }
                let is_pending = |key: &&Key| self.catalog.needs_restart(key);
                let pending_restart = applied.changed.iter().filter(is_pending).cloned().collect();
                let (generation, changed) = (applied.generation, applied.changed);
                Ok(Reloaded { generation, changed, pending_restart, without_effect })
            }
            Ok(Err(refusal)) => refused(refusal.to_string()),
            Err(error) => refused(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use core_config::schemars::{self, JsonSchema};
    use core_config::{Commit, Loader, Problems, Validate};
    use core_secrets::Secrets;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
    #[serde(default)]
    struct Own {
        word: String,
    }

    impl Validate for Own {
        fn validate(&self, _: &mut Problems) {
            assert_ne!(self.word, "panic", "on purpose");
        }
    }

    /// Reads a word from a file whenever it is asked to.
    async fn service(
        word: &str,
        patience: Duration,
    ) -> (tempfile::NamedTempFile, Live<Settings<Own>>, Reload, Reloader<Own>) {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        write(&file, word);
        let loader = Loader::new().with_file(file.path());
        let secrets = Secrets::builder(core_secrets::Config::default())
            .with_backend("env", core_secrets::backend::Environment::new([]))
            .build()
            .unwrap();
        let sources = Sources { loader: Arc::new(loader), secrets };
        let live = Live::new(sources.again().await.unwrap());
        let catalog = Arc::new(Catalog::of::<Settings<Own>>("APP"));
        let (reload, mut reloader) = reloader(sources, live.clone(), None, catalog, Vec::new());
        reloader.patience = patience;
        (file, live, reload, reloader)
    }

    fn write(file: &tempfile::NamedTempFile, word: &str) {
        std::fs::write(file.path(), format!("word = '{word}'")).unwrap();
    }

    /// Runs the reloader while something is asked of it.
    async fn with<A: core_config::Settings>(
        reloader: Reloader<A>,
        asking: impl Future<Output = ()>,
    ) {
        tokio::select! {
            () = asking => {}
            () = reloader.run() => panic!("the reloader has ended"),
        }
    }

    /// CFG-6: rules that panic refuse a reload; the next good edit applies.
    #[tokio::test]
    async fn rules_that_panic_do_not_end_the_reloader() {
        let (file, live, reload, reloader) = service("one", PATIENCE).await;
        with(reloader, async {
            write(&file, "panic");
            let refused = reload.wait(Cause::Edit).await.unwrap().unwrap_err();
            assert!(refused.reasons.contains("rules panicked"), "{refused}");
            assert_eq!(live.get().app.word, "one");
            write(&file, "two");
            assert_eq!(reload.wait(Cause::Edit).await.unwrap().unwrap().generation, 2);
            assert_eq!(live.get().app.word, "two");
        })
        .await;
    }

    /// CFG-6: a subscriber that does not answer refuses its own change, and no later one.
    #[tokio::test]
    async fn a_subscriber_that_hangs_holds_up_one_change() {
        let (file, live, reload, reloader) = service("one", Duration::from_millis(50)).await;
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        live.subscribe("slow", move |_, new| {
            if new.app.word == "hang" {
                let _ = released.lock().unwrap().recv();
            }
            Ok(Commit::nothing())
        });
        with(reloader, async {
            write(&file, "hang");
            let refused = reload.wait(Cause::Edit).await.unwrap().unwrap_err();
            let reasons = "configuration refused:\n  slow: has not answered in time";
            assert_eq!(refused.reasons, reasons);
            write(&file, "two");
            assert_eq!(reload.wait(Cause::Edit).await.unwrap().unwrap().generation, 2);
            drop(release);
        })
        .await;
        assert_eq!(live.get().app.word, "two");
    }
}
