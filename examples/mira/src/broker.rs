//! What lies between those who ask and those who work: a queue, and a store of what came of it.

mod memory;
mod nats;
mod record;
mod settings;
mod shelf;
mod work;

use std::sync::Arc;
use std::time::Duration;

pub use self::record::{Record, Status};
pub use self::settings::{Kind, Nats, Settings, Store};
use crate::message::is_id;
use crate::{Error, Message, Metrics, Project};

/// A broker: in this process, or in a NATS server. Both keep the same promises.
///
/// - Accepted means stored: when [`submit`](Self::submit) returns, the message and its record are
///   in the store; with NATS they outlive this process.
/// - At least once: a message is taken out only after its result is stored. A worker that dies
///   leaves it to the next one. Agents give the same result for the same message, so once is what
///   it looks like.
/// - Bounded: messages not yet done by number, everything kept by age, number and bytes.
#[derive(Clone, Debug)]
pub struct Broker {
    settings: Arc<Settings>,
    inner: Inner,
    metrics: Option<Metrics>,
}

#[derive(Clone, Debug)]
enum Inner {
    Memory(Arc<memory::Memory>),
    Nats(Arc<nats::Nats>),
}

/// Whether a delivery is seen for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is.
    New,
    /// It came before.
    Seen {
        /// The message that it became then.
        message_id: String,
        /// Whether that message was accepted. If not, the sender was cut off half-way.
        is_confirmed: bool,
    },
}

/// How much a broker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Messages that are not done.
    pub pending: usize,
    /// Messages that may be accepted and not done.
    pub capacity: usize,
}

impl Broker {
    /// Opens the broker that the settings name. The one in memory needs nothing; NATS is connected
    /// to, and its stream and buckets are made.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server cannot be reached; [`Error::Internal`] if the settings
    /// have [mistakes](Settings::mistakes).
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        if !settings.mistakes().is_empty() {
            let what = "the settings of the broker have mistakes";
            return Err(Error::Internal { what, source: None });
        }
        let inner = match settings.kind {
            Kind::Memory => Inner::Memory(Arc::new(memory::Memory::new(&settings))),
            // Boxed, for connecting takes tens of kilobytes that no caller should carry.
            Kind::Nats => Inner::Nats(Arc::new(Box::pin(nats::Nats::connect(&settings)).await?)),
        };
        Ok(Self { settings: Arc::new(settings), inner, metrics: None })
    }

    /// Counts what is accepted and done. Default: nobody counts.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Accepts a message: when this returns, it is stored with the status `queued`. A message that
    /// was accepted before is not accepted twice.
    ///
    /// # Errors
    /// [`Error::TooLarge`]; [`Error::Unavailable`] if there are as many messages as may be, if no
    /// more are taken, or if the server is silent.
    ///
    /// # Cancel safety
    /// Dropped half-way, the message may be accepted or not; submitting it again settles that.
    pub async fn submit(&self, message: Message) -> Result<(), Error> {
        let encoded = serde_json::to_vec(&message);
        let encoded =
            encoded.map_err(|error| Error::internal("cannot be written as JSON", error))?;
        self.check_size(encoded.len())?;
        let (message_type, source) = (message.message_type, message.source);
        match &self.inner {
            Inner::Memory(memory) => memory.submit(message)?,
            Inner::Nats(nats) => nats.submit(&message, encoded).await?,
        }
        if let Some(metrics) = &self.metrics {
            metrics.accepted(message_type, source);
        }
        Ok(())
    }

    /// Refuses what has more bytes than a message may have.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), Error> {
        let (size, limit) = (bytes as u64, self.settings.max_payload.bytes());
        if size > limit { Err(Error::TooLarge { size, limit }) } else { Ok(()) }
    }

    /// What is known of a message; `None` if nothing is, or nothing any more.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn record(&self, message_id: &str) -> Result<Option<Arc<Record>>, Error> {
        match &self.inner {
            _ if !is_id(message_id) => Ok(None),
            Inner::Memory(memory) => Ok(memory.record(message_id)),
            Inner::Nats(nats) => Ok(nats.record(message_id).await?.map(Arc::new)),
        }
    }

    /// Waits until a message is done, or the time is over, and says what is known of it then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn wait(
        &self,
        message_id: &str,
        time: Duration,
    ) -> Result<Option<Arc<Record>>, Error> {
        let done = async {
            match &self.inner {
                _ if !is_id(message_id) => Ok(None),
                Inner::Memory(memory) => Ok(memory.done(message_id).await),
                Inner::Nats(nats) => Ok(nats.done(message_id).await?.map(Arc::new)),
            }
        };
        match tokio::time::timeout(time, done).await {
            Ok(record) => record,
            Err(_) => self.record(message_id).await,
        }
    }

    /// Keeps a project for later messages.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn put_plan(&self, project: &Project) -> Result<(), Error> {
        let id = &project.plan.plan_id;
        let encoded = serde_json::to_vec(project);
        let encoded =
            encoded.map_err(|error| Error::internal("cannot be written as JSON", error))?;
        match &self.inner {
            Inner::Memory(memory) => memory.put_plan(id, &encoded),
            Inner::Nats(nats) => nats.put_plan(id, encoded).await?,
        }
        Ok(())
    }

    /// A project that was kept.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`] if the server is silent.
    pub async fn plan(&self, plan_id: &str) -> Result<Project, Error> {
        let encoded = match &self.inner {
            _ if !is_id(plan_id) => None,
            Inner::Memory(memory) => memory.plan(plan_id),
            Inner::Nats(nats) => nats.plan(plan_id).await?,
        };
        let encoded = encoded.ok_or_else(|| Error::not_found("plan", plan_id))?;
        serde_json::from_slice(&encoded)
            .map_err(|error| Error::internal("the plan that was kept cannot be read", error))
    }

    /// Notes that a delivery becomes a message, unless it is noted already. Of several that ask at
    /// once, one is told [`Claim::New`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn claim(&self, delivery_key: &str, message_id: &str) -> Result<Claim, Error> {
        match &self.inner {
            Inner::Memory(memory) => Ok(memory.claim(delivery_key, message_id)),
            Inner::Nats(nats) => nats.claim(delivery_key, message_id).await,
        }
    }

    /// Notes that the message of a delivery was accepted.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn confirm(&self, delivery_key: &str, message_id: &str) -> Result<(), Error> {
        match &self.inner {
            Inner::Memory(memory) => memory.confirm(delivery_key, message_id),
            Inner::Nats(nats) => nats.confirm(delivery_key, message_id).await?,
        }
        Ok(())
    }

    /// Whether it works, and how much it holds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is not connected or silent.
    pub async fn check(&self) -> Result<Load, Error> {
        let load = match &self.inner {
            Inner::Memory(memory) => Ok(memory.load()),
            Inner::Nats(nats) => nats.load().await,
        };
        if let Some(metrics) = &self.metrics {
            metrics.set_load(load.as_ref().ok().copied());
        }
        load
    }

    /// Takes no more messages, and lets the workers end: in memory after all that was accepted is
    /// done; with NATS after what they have in hand, since the rest is safe with the server.
    pub fn drain(&self) {
        match &self.inner {
            Inner::Memory(memory) => memory.drain(),
            Inner::Nats(nats) => nats.drain(),
        }
    }

    /// Ends the connection, once the workers have ended. Nothing is to be called after it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the server is silent.
    pub async fn close(&self) -> Result<(), Error> {
        match &self.inner {
            Inner::Memory(_) => Ok(()),
            Inner::Nats(nats) => nats.close().await,
        }
    }
}

fn full() -> Error {
    Error::Unavailable { reason: "as many messages wait as may; try again later", source: None }
}

fn stopping() -> Error {
    Error::Unavailable { reason: "no more messages are taken, for the service stops", source: None }
}
