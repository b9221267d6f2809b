use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use core_types::InScope as _;
use futures_util::FutureExt as _;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{Broker, Inner, Record, memory, nats};
use crate::metrics::Done;
use crate::{Error, Failure, Kind, Message, agents};

/// A message that a worker has, of either broker.
enum InHand {
    Memory(memory::InHand),
    Nats(Box<nats::InHand>),
}

impl InHand {
    fn message(&self) -> &Arc<Message> {
        match self {
            Self::Memory(hand) => &hand.message,
            Self::Nats(hand) => &hand.message,
        }
    }

    fn attempt(&self) -> u32 {
        match self {
            Self::Memory(hand) => hand.attempt,
            Self::Nats(hand) => hand.attempt,
        }
    }

    /// Notes that it is worked on. False if it is done already.
    async fn running(&self) -> Result<bool, Error> {
        match self {
            Self::Memory(hand) => {
                hand.running();
                Ok(true)
            }
            Self::Nats(hand) => hand.running().await,
        }
    }

    async fn finish(self, record: Record) -> Result<(), Error> {
        match self {
            Self::Memory(hand) => {
                hand.finish(record);
                Ok(())
            }
            Self::Nats(hand) => hand.finish(record).await,
        }
    }

    async fn forget(self) -> Result<(), Error> {
        match self {
            Self::Memory(_) => Ok(()),
            Self::Nats(hand) => hand.forget().await,
        }
    }

    async fn retry(self) -> Result<(), Error> {
        match self {
            // Dropped, it goes back.
            Self::Memory(_) => Ok(()),
            Self::Nats(hand) => hand.retry().await,
        }
    }
}

impl Broker {
    /// One worker: takes a message, has it done, stores the result, and takes the next. Ends after
    /// [`drain`](Self::drain). As many messages are done at a time as there are workers.
    ///
    /// What the handler gives for a message is kept as its result, or as its error. With
    /// [`Kind::Unavailable`] it is tried again, up to `max_attempts`. A handler that panics has
    /// failed, and the worker goes on.
    ///
    /// # Cancel safety
    /// Dropped half-way, the message in hand goes to another worker.
    pub async fn consume<H, F>(&self, handler: H)
    where
        H: Fn(Arc<Message>) -> F,
        F: Future<Output = Result<Box<RawValue>, Error>>,
    {
        while let Some(hand) = self.next().await {
            let scope = agents::scope(hand.message());
            let done = async {
                if let Err(error) = self.handle(hand, &handler).await {
                    warn!(error = cause(&error), "Message left for another try");
                }
            };
            done.in_scope(scope).await;
        }
    }

    async fn next(&self) -> Option<InHand> {
        match &self.inner {
            Inner::Memory(memory) => memory.next().await.map(InHand::Memory),
            Inner::Nats(nats) => nats.next().await.map(|hand| InHand::Nats(Box::new(hand))),
        }
    }

    async fn handle<H, F>(&self, hand: InHand, handler: &H) -> Result<(), Error>
    where
        H: Fn(Arc<Message>) -> F,
        F: Future<Output = Result<Box<RawValue>, Error>>,
    {
        let (message, attempt) = (Arc::clone(hand.message()), hand.attempt());
        let max_attempts = self.settings.max_attempts;
        let message_type = message.message_type.as_str();
        let began = Instant::now();
        if !hand.running().await? {
            return hand.forget().await;
        }
        if let Some(metrics) = &self.metrics {
            metrics.begun(&message, attempt);
        }
        // A worker that died with the message in hand could not write down why.
        let result = if attempt > max_attempts {
            let what = "given up after too many attempts";
            Err(Error::Internal { what, source: None })
        } else {
            let handled = AssertUnwindSafe(async { handler(Arc::clone(&message)).await });
            handled.catch_unwind().await.unwrap_or_else(|_| {
                Err(Error::Internal { what: "an agent panicked", source: None })
            })
        };
        match result {
            Err(error) if error.kind() == Kind::Unavailable && attempt < max_attempts => {
                warn!(message_type, attempt, error = cause(&error), "Message to be tried again");
                hand.retry().await?;
                if let Some(metrics) = &self.metrics {
                    metrics.retried(message.message_type, began.elapsed());
                }
                Ok(())
            }
            Ok(result) => {
                hand.finish(Record::done(&message, Ok(result))).await?;
                self.count(&message, Done::Completed, began);
                info!(message_type, attempt, "Message completed");
                Ok(())
            }
            Err(failure) => {
                hand.finish(Record::done(&message, Err(Failure::from(&failure)))).await?;
                self.count(&message, Done::Failed, began);
                error!(message_type, attempt, error = cause(&failure), "Message failed");
                Ok(())
            }
        }
    }

    fn count(&self, message: &Message, done: Done, began: Instant) {
        if let Some(metrics) = &self.metrics {
            metrics.done(message.message_type, done, began.elapsed());
        }
    }
}

/// An error with what caused it, as a field of a log line.
fn cause(error: &Error) -> &(dyn std::error::Error + 'static) {
    error
}
