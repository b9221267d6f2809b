use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::BatchError;
use async_nats::jetstream::kv::{Operation, UpdateErrorKind};
use async_nats::jetstream::{self, AckKind};
use futures_util::StreamExt as _;
use tracing::{error, warn};

use super::{Nats, encode, silent};
use crate::broker::record::{Record, Status};
use crate::{Error, Message};

/// How long one request for a message stands before it is made anew. A server that was started
/// again has forgotten it, so this is also how long a worker may then be idle.
const REQUEST: Duration = Duration::from_secs(3);
/// How much later than that the server's word may come that there was no message.
const GRACE: Duration = Duration::from_secs(1);
/// The pause before a message is tried again, and before a silent server is asked again.
const PAUSE: Duration = Duration::from_millis(500);

impl Nats {
    /// The next message; `None` once no more are given out.
    pub(in crate::broker) async fn next(self: &Arc<Self>) -> Option<InHand> {
        let mut stopping = self.is_stopping.subscribe();
        tokio::select! {
            biased;
            _ = stopping.wait_for(|is_stopping| *is_stopping) => None,
            message = self.ask() => Some(message),
        }
    }

    async fn ask(self: &Arc<Self>) -> InHand {
        loop {
            match self.ask_once().await {
                Ok(Some(delivery)) => {
                    if let Some(message) = self.take(delivery).await {
                        return message;
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    warn!(%error, "No message from the broker");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn ask_once(&self) -> Result<Option<jetstream::Message>, async_nats::Error> {
        let request = self.consumer.batch().max_messages(1).expires(REQUEST);
        let mut answers = request.messages().await.map_err(|error: BatchError| Box::new(error))?;
        match tokio::time::timeout(REQUEST + GRACE, answers.next()).await {
            Ok(answer) => answer.transpose(),
            Err(_) => Ok(None),
        }
    }

    /// Reads a delivery. What cannot be read may be of a newer Mira, and is left to it for a while.
    async fn take(self: &Arc<Self>, delivery: jetstream::Message) -> Option<InHand> {
        let attempt = delivery.info().map_or(1, |info| info.delivered);
        let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
        let error = match serde_json::from_slice::<Message>(&delivery.payload) {
            Ok(message) => {
                let (broker, message) = (Arc::clone(self), Arc::new(message));
                return Some(InHand { broker, message, attempt, delivery });
            }
            Err(error) => error,
        };
        let verdict = if attempt < self.max_attempts {
            warn!(%error, attempt, "A message cannot be read, and is left to others");
            AckKind::Nak(Some(PAUSE))
        } else {
            error!(%error, attempt, "A message cannot be read by anybody, and is dropped");
            AckKind::Term
        };
        if let Err(error) = delivery.ack_with(verdict).await {
            warn!(%error, "The broker does not hear of it");
        }
        None
    }
}

/// A message that a worker has. Dropped before it is settled, the server gives it to another
/// worker after `ack_wait`.
#[derive(Debug)]
pub(in crate::broker) struct InHand {
    broker: Arc<Nats>,
    pub(in crate::broker) message: Arc<Message>,
    pub(in crate::broker) attempt: u32,
    delivery: jetstream::Message,
}

impl InHand {
    /// Notes that it is worked on. False if it is done already, and only that was not known.
    pub(in crate::broker) async fn running(&self) -> Result<bool, Error> {
        let id = &self.message.message_id;
        let running = encode(&Record::new(&self.message, Status::Running))?;
        let records = &self.broker.records;
        let revision = match records.entry(id).await.map_err(silent)? {
            None => 0,
            Some(entry) => {
                let record = serde_json::from_slice::<Record>(&entry.value);
                if entry.operation == Operation::Put
                    && record.is_ok_and(|record| record.status.is_final())
                {
                    return Ok(false);
                }
                entry.revision
            }
        };
        match records.update(id, running.into(), revision).await {
            Ok(_) => Ok(true),
            // Somebody else has changed it meanwhile: then it is looked at again, by the next try.
            Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {
                Err(Error::unavailable("another worker has the message", error))
            }
            Err(error) => Err(silent(error)),
        }
    }

    pub(in crate::broker) async fn finish(self, record: Record) -> Result<(), Error> {
        let done = encode(&record)?;
        self.broker.records.put(&record.message_id, done.into()).await.map_err(silent)?;
        self.forget().await
    }

    /// Tells the server that the message is done. If that gets lost, it comes again, and is found
    /// to be done.
    pub(in crate::broker) async fn forget(self) -> Result<(), Error> {
        self.delivery
            .ack()
            .await
            .map_err(|error| Error::unavailable("the broker does not answer", error))
    }

    /// Gives it back, to be tried again soon.
    pub(in crate::broker) async fn retry(self) -> Result<(), Error> {
        let queued = encode(&Record::new(&self.message, Status::Queued))?;
        self.broker.records.put(&self.message.message_id, queued.into()).await.map_err(silent)?;
        let again = self.delivery.ack_with(AckKind::Nak(Some(PAUSE))).await;
        again.map_err(|error| Error::unavailable("the broker does not answer", error))
    }
}
