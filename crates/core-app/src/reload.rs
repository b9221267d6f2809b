use core_config::{Key, Live};
use tokio::sync::{mpsc, oneshot};

use crate::Settings;
use crate::blocking::blocking;
use crate::load::Sources;
use crate::wire::secrets::Scrub;

/// Under which name this is logged.
const LOG: &str = "core_app::config";

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
    answer: Option<oneshot::Sender<Answer>>,
}

/// Asks for the settings to be read again. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Reload(mpsc::UnboundedSender<Request>);

impl Reload {
    /// Asks, and does not wait.
    pub(crate) fn ask(&self, cause: Cause) {
        // Without a receiver the service is at its end.
        let _ = self.0.send(Request { cause, answer: None });
    }

    /// Asks, and waits for the answer; `None` when the service is at its end.
    pub(crate) async fn wait(&self, cause: Cause) -> Option<Answer> {
        let (sender, answer) = oneshot::channel();
        self.0.send(Request { cause, answer: Some(sender) }).ok()?;
        answer.await.ok()
    }
}

/// Reads the settings again whenever somebody asks, one after the other.
pub(crate) struct Reloader<A> {
    sources: Sources<A>,
    live: Live<Settings<A>>,
    scrub: Option<Scrub>,
    requests: mpsc::UnboundedReceiver<Request>,
}

/// A way to ask, and what is to be run to answer.
pub(crate) fn reloader<A: core_config::Settings>(
    sources: Sources<A>,
    live: Live<Settings<A>>,
    scrub: Option<Scrub>,
) -> (Reload, Reloader<A>) {
    let (sender, requests) = mpsc::unbounded_channel();
    (Reload(sender), Reloader { sources, live, scrub, requests })
}

impl<A: core_config::Settings> Reloader<A> {
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.requests.recv().await {
            let mut answers = Vec::new();
            // Whoever has asked meanwhile is answered by the same reading.
            let mut next = Some(first);
            let mut cause = None;
            while let Some(request) = next {
                cause = cause.or(Some(request.cause));
                answers.extend(request.answer);
                next = self.requests.try_recv().ok();
            }
            tracing::debug!(target: LOG, cause = cause.map(Cause::as_str), "configuration is read again");
            let answer = self.again().await;
            for waiting in answers {
                let _ = waiting.send(answer.clone());
            }
        }
    }

    async fn again(&self) -> Answer {
        let refused = |reasons: String| Err(ReloadError { reasons });
        let loaded = match self.sources.again().await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.live.refuse(&error);
                return refused(error.to_string());
            }
        };
        if let Some(scrub) = &self.scrub {
            scrub.learn(loaded.secrets.clone());
        }
        let live = self.live.clone();
        // Subscribers may take their time, which is not this thread's.
        let applied = blocking(move || live.apply(loaded)).await;
        match applied {
            Ok(Ok(applied)) => {
                let pending_restart =
                    applied.changed.iter().filter(|key| needs_restart(key)).cloned().collect();
                let (generation, changed) = (applied.generation, applied.changed);
                Ok(Reloaded { generation, changed, pending_restart })
            }
            Ok(Err(refusal)) => refused(refusal.to_string()),
            Err(error) => refused(error.to_string()),
        }
    }
}

/// The host's own settings that are read once.
pub(crate) fn needs_restart(key: &Key) -> bool {
    const SECTIONS: [&str; 6] =
        ["server", "ops.bind_address", "config", "secrets", "health", "metrics"];
    SECTIONS
        .iter()
        .filter_map(|section| Key::parse(section))
        .any(|section| key.starts_with(&section))
}
