use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use core_types::{CorrelationId, Scope, Secret, Timestamp, TraceContext};
use serde::Serialize;
use serde_json::value::RawValue;
use tracing::info;

use crate::agents::{self, Subject};
use crate::broker::{Broker, Claim, Record, Status};
use crate::message::{Data, MessageType, Origin, Request, Source};
use crate::webhook::{self, Delivery, Provider};
use crate::{Date, Error, Failure, Message};

/// Mira: agents behind a broker. Cheap to clone.
#[derive(Clone)]
pub struct Platform {
    broker: Broker,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    ids: Arc<dyn Fn() -> String + Send + Sync>,
}

/// What a caller is told of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// Which message.
    pub message_id: String,
    /// The id that all log lines about it carry.
    pub correlation_id: CorrelationId,
    /// How far it is.
    pub status: Status,
    /// What came of it, once it is completed: an [`Outcome`](agents::Outcome) as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// Why nothing came of it, once it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// It is done: 200.
    Completed(Answer),
    /// It is accepted, and can be asked for by its id: 202.
    Accepted(Answer),
    /// It came before, and is known by the id that it got then: 200.
    Duplicate(Answer),
}

impl Platform {
    /// Agents behind a broker.
    pub fn new(broker: Broker) -> Self {
        Self {
            broker,
            clock: Arc::new(SystemTime::now),
            ids: Arc::new(|| CorrelationId::generate().to_string()),
        }
    }

    /// Replaces the clock. Default: the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the source of message ids: up to 80 of `a-z A-Z 0-9 - _`, each once. Default:
    /// random UUIDs.
    #[must_use]
    pub fn with_ids(mut self, ids: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.ids = Arc::new(ids);
        self
    }

    /// The broker, to be checked, drained and closed.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }

    /// How many agents there are.
    pub fn agent_count(&self) -> usize {
        agents::ALL.len()
    }

    /// Takes the body of `POST /api/messages`, inside the request's scope. With `wait` it answers
    /// when the message is done, or after `reply_timeout`; without, as soon as it is accepted.
    ///
    /// # Errors
    /// Whatever is wrong with the request, or with the message once it was worked on.
    ///
    /// # Cancel safety
    /// Dropped while waiting, the message is done none the less.
    pub async fn handle_api(&self, body: &[u8], wait: bool) -> Result<Reply, Error> {
        self.broker.check_size(body.len())?;
        let now = (self.clock)();
        let Request { message_type, data } = Request::read(body, Date::of(now))?;
        if let Data::PlanId(id) = &data {
            // So that it is told now, and not only when the message is worked on.
            self.broker.plan(id).await?;
        }
        let message = self.message(message_type, data, Source::Api, now);
        let accepted = Answer::accepted(&message);
        self.accept(message).await?;
        if !wait {
            return Ok(Reply::Accepted(accepted));
        }
        let time = self.broker.settings().reply_timeout.get();
        match self.broker.wait(&accepted.message_id, time).await? {
            Some(record) if record.status.is_final() => match &record.error {
                Some(failure) => Err(Error::Failed(failure.clone())),
                None => Ok(Reply::Completed(Answer::of(&record))),
            },
            Some(record) => Ok(Reply::Accepted(Answer::of(&record))),
            None => Ok(Reply::Accepted(accepted)),
        }
    }

    /// Takes a delivery to `POST /webhook/{provider}`, inside the request's scope. `secret` is what
    /// it must be signed with.
    ///
    /// # Errors
    /// [`Error::NotConfigured`] without a secret; [`Error::Unsigned`]; [`Error::Unauthorized`];
    /// [`Error::Invalid`]; [`Error::Unavailable`].
    pub async fn handle_webhook(
        &self,
        provider: Provider,
        secret: Option<&Secret<String>>,
        delivery: &Delivery<'_>,
    ) -> Result<Reply, Error> {
        let secret = secret.filter(|secret| !secret.expose().trim().is_empty());
        let key = provider.secret_key();
        let secret = secret.ok_or(Error::NotConfigured { provider, key })?;
        webhook::verify(provider, secret, delivery)?;
        let now = (self.clock)();
        let event = webhook::read(provider, delivery, Date::of(now))?;
        let data = Data::Event(event);
        let mut message = self.message(provider.message_type(), data, provider.source(), now);

        let key = webhook::delivery_key(provider, delivery);
        if let Claim::Seen { message_id, is_confirmed } =
            self.broker.claim(&key, &message.message_id).await?
        {
            if is_confirmed {
                info!(message_id, "Delivery seen before");
                return Ok(Reply::Duplicate(self.known(&message, message_id).await?));
            }
            // The first of them was cut off, or is at it now. As the same message it is done once.
            message.message_id = message_id;
        }
        let accepted = Answer::accepted(&message);
        self.accept(message).await?;
        self.broker.confirm(&key, &accepted.message_id).await?;
        Ok(Reply::Accepted(accepted))
    }

    /// What is known of a message: `GET /api/messages/{id}`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`].
    pub async fn message_state(&self, id: &str) -> Result<Answer, Error> {
        let record = self.broker.record(id).await?;
        record.map(|record| Answer::of(&record)).ok_or_else(|| Error::not_found("message", id))
    }

    /// One worker, for the host to spawn; `broker.workers` of them are wanted. Ends after the
    /// broker is drained.
    pub fn worker(&self) -> impl Future<Output = ()> + Send + use<> {
        let platform = self.clone();
        async move { platform.broker.consume(|message| platform.work(message)).await }
    }

    async fn work(&self, message: Arc<Message>) -> Result<Box<RawValue>, Error> {
        let (message_type, correlation_id) =
            (message.message_type.as_str(), &message.correlation_id);
        info!(message_type, %correlation_id, "Processing message");
        let subject = match &message.data {
            Data::Brief(brief) => Subject::Brief(brief.clone()),
            Data::PlanId(id) => Subject::Project(self.broker.plan(id).await?),
            Data::Event(event) => Subject::Event(event.clone()),
        };
        let work = agents::work(&message, subject);
        if let Some(project) = &work.made {
            self.broker.put_plan(project).await?;
        }
        serde_json::value::to_raw_value(&work.outcome)
            .map_err(|error| Error::internal("the result cannot be written as JSON", error))
    }

    fn message(
        &self,
        message_type: MessageType,
        data: Data,
        source: Source,
        now: SystemTime,
    ) -> Message {
        let scope = Scope::child();
        // What is done for it belongs below the span that this is said in.
        let scope = match TraceContext::current() {
            Some(trace) => scope.with_trace(trace),
            None => scope,
        };
        Message {
            message_id: (self.ids)(),
            message_type,
            correlation_id: scope.correlation_id().clone(),
            data,
            received_at: Timestamp::from(now),
            source,
            origin: Origin::of(&scope),
        }
    }

    async fn accept(&self, message: Message) -> Result<(), Error> {
        let message_type = message.message_type.as_str();
        let message_id = message.message_id.clone();
        self.broker.submit(message).await?;
        info!(message_type, message_id, "Message accepted");
        Ok(())
    }

    /// The answer for a delivery that came before.
    async fn known(&self, message: &Message, message_id: String) -> Result<Answer, Error> {
        Ok(match self.broker.record(&message_id).await? {
            Some(record) => Answer { result: None, error: None, ..Answer::of(&record) },
            // Kept no longer, so it was done.
            None => Answer { message_id, status: Status::Completed, ..Answer::accepted(message) },
        })
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform").field("broker", &self.broker).finish_non_exhaustive()
    }
}

impl Answer {
    fn accepted(message: &Message) -> Self {
        Self {
            message_id: message.message_id.clone(),
            correlation_id: message.correlation_id.clone(),
            status: Status::Queued,
            result: None,
            error: None,
        }
    }

    fn of(record: &Record) -> Self {
        Self {
            message_id: record.message_id.clone(),
            correlation_id: record.correlation_id.clone(),
            status: record.status,
            result: record.result.clone(),
            error: record.error.clone(),
        }
    }

    /// Where the message can be asked for: the `Location` of an accepted one.
    pub fn location(&self) -> String {
        format!("/api/messages/{}", self.message_id)
    }
}
