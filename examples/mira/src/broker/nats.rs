mod connect;
mod hand;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{GetStreamError, PublishError};
use async_nats::jetstream::kv::{CreateErrorKind, Store};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::{self, ErrorCode, consumer::PullConsumer};
use async_nats::{Client, connection::State};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::watch;

pub(super) use self::hand::InHand;
use super::record::{Record, Status};
use super::{Claim, Load};
use crate::{Error, Message};

/// Waiting for a result, how often it is looked up in case that the server's word of it was lost,
/// as it is when the connection breaks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// The broker in a NATS server.
///
/// - A stream holds the messages that are not done: retention `WorkQueue`, so that each goes to one
///   worker and is gone once acknowledged; bounded, and refusing what is over the bound.
/// - Three key-value buckets hold records, plans, and seen deliveries: bounded by age, number and
///   bytes, the oldest going first. The server tells of each change of a record by a plain message,
///   so that waiting for one costs it no consumer.
#[derive(Debug)]
pub(super) struct Nats {
    client: Client,
    context: jetstream::Context,
    consumer: PullConsumer,
    records: Store,
    plans: Store,
    deliveries: Store,
    names: Names,
    capacity: usize,
    max_attempts: u32,
    is_stopping: watch::Sender<bool>,
}

/// What things are called in the server.
#[derive(Debug)]
struct Names {
    /// The stream of messages.
    stream: String,
    /// The subject of messages.
    messages: String,
    /// What the subjects of changed records begin with.
    changes: String,
}

#[derive(Deserialize, Serialize)]
struct Claimed {
    message_id: String,
    is_confirmed: bool,
}

impl Nats {
    pub(super) async fn submit(&self, message: &Message, encoded: Vec<u8>) -> Result<(), Error> {
        if *self.is_stopping.borrow() {
            return Err(super::stopping());
        }
        let id = &message.message_id;
        // The record first: a worker may be done before the second of the two is stored.
        let queued = encode(&Record::new(message, Status::Queued))?;
        let is_new = match self.records.create(id, queued.into()).await {
            Ok(_) => true,
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => false,
            Err(error) => return Err(silent(error)),
        };
        // What was taken before may have been taken by half only: then the rest is made up for.
        if !is_new && self.record(id).await?.is_some_and(|known| known.status != Status::Queued) {
            return Ok(());
        }
        // The server takes the same id once.
        let publish = PublishMessage::build().payload(encoded.into()).message_id(id);
        let Err(error) = self.publish(publish).await else { return Ok(()) };
        if is_new {
            // Nobody was told of it, so it is as if it had never come. If the server did take it
            // and only the answer was lost, it is done none the less.
            self.records.delete(id).await.map_err(silent)?;
        }
        Err(if is_full(&error) { super::full() } else { silent(error) })
    }

    async fn publish(&self, message: PublishMessage) -> Result<(), PublishError> {
        let subject = self.names.messages.clone();
        self.context.send_publish(subject, message).await?.await.map(drop)
    }

    pub(super) async fn record(&self, id: &str) -> Result<Option<Record>, Error> {
        get(&self.records, id).await
    }

    /// Waits until the message is done.
    pub(super) async fn done(&self, id: &str) -> Result<Option<Record>, Error> {
        let subject = format!("{}.{id}", self.names.changes);
        let mut changes = self.client.subscribe(subject).await.map_err(silent)?;
        loop {
            match self.record(id).await? {
                Some(record) if !record.status.is_final() => {}
                known => return Ok(known),
            }
            let told = async {
                while let Some(change) = changes.next().await {
                    let record = serde_json::from_slice::<Record>(&change.payload).ok();
                    if let Some(record) = record.filter(|record| record.status.is_final()) {
                        return Some(record);
                    }
                }
                None
            };
            if let Ok(Some(record)) = tokio::time::timeout(LOOK_AGAIN, told).await {
                return Ok(Some(record));
            }
        }
    }

    pub(super) async fn put_plan(&self, id: &str, plan: Vec<u8>) -> Result<(), Error> {
        self.plans.put(id, plan.into()).await.map(drop).map_err(silent)
    }

    pub(super) async fn plan(&self, id: &str) -> Result<Option<Arc<[u8]>>, Error> {
        let plan = self.plans.get(id).await.map_err(silent)?;
        Ok(plan.map(|plan| Arc::from(&plan[..])))
    }

    pub(super) async fn claim(&self, key: &str, message_id: &str) -> Result<Claim, Error> {
        let claimed = Claimed { message_id: message_id.into(), is_confirmed: false };
        let claimed = encode(&claimed)?;
        loop {
            match self.deliveries.create(key, claimed.clone().into()).await {
                Ok(_) => return Ok(Claim::New),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                Err(error) => return Err(silent(error)),
            }
            // Missing, it has just become too old: then it is new again.
            if let Some(known) = get::<Claimed>(&self.deliveries, key).await? {
                let Claimed { message_id, is_confirmed } = known;
                return Ok(Claim::Seen { message_id, is_confirmed });
            }
        }
    }

    pub(super) async fn confirm(&self, key: &str, message_id: &str) -> Result<(), Error> {
        let claimed = Claimed { message_id: message_id.into(), is_confirmed: true };
        self.deliveries.put(key, encode(&claimed)?.into()).await.map(drop).map_err(silent)
    }

    pub(super) async fn load(&self) -> Result<Load, Error> {
        if self.client.connection_state() != State::Connected {
            let reason = "the broker is not connected";
            return Err(Error::Unavailable { reason, source: None });
        }
        let stream = self.context.get_stream(&self.names.stream).await;
        let pending =
            stream.map_err(|error: GetStreamError| silent(error))?.cached_info().state.messages;
        let pending = usize::try_from(pending).unwrap_or(usize::MAX);
        Ok(Load { pending, capacity: self.capacity })
    }

    /// Takes no more messages, and gives out none. What waits stays with the server.
    pub(super) fn drain(&self) {
        self.is_stopping.send_replace(true);
    }

    /// Sends what is still to be sent, and ends the connection.
    pub(super) async fn close(&self) -> Result<(), Error> {
        self.client.flush().await.map_err(silent)?;
        self.client.drain().await.map_err(silent)
    }
}

/// Whether the stream holds as many messages as it may.
fn is_full(error: &PublishError) -> bool {
    let refusal = std::error::Error::source(error);
    refusal
        .and_then(|refusal| refusal.downcast_ref::<jetstream::Error>())
        .is_some_and(|refusal| refusal.error_code() == ErrorCode::STREAM_STORE_FAILED)
}

fn silent(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::unavailable("the broker does not answer", error)
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::internal("cannot be written as JSON", error))
}

async fn get<T: DeserializeOwned>(bucket: &Store, key: &str) -> Result<Option<T>, Error> {
    let value = bucket.get(key).await.map_err(silent)?;
    value.map(|value| serde_json::from_slice(&value)).transpose().map_err(|error| {
        Error::internal("what the broker keeps cannot be read; it may be of a newer Mira", error)
    })
}
