//! What both brokers promise: one suite, run in memory and against a real NATS server.

mod cases;
mod nats;

use std::sync::Arc;
use std::time::Duration;

use core_types::{CorrelationId, Timestamp};
use mira::broker::{Kind, Settings};
use mira::message::{Data, MessageType, Origin, Source};
use mira::{Broker, Error, Message};
use serde_json::value::RawValue;
use tokio::task::JoinSet;

use crate::support::nats::Server;
use crate::support::{brief, noon};

/// Where a case runs.
pub(crate) struct Place {
    server: Option<Server>,
    only: tokio::sync::OnceCell<Broker>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self { server: None, only: tokio::sync::OnceCell::new() }
    }

    /// `None` if there is no server to be had.
    pub(crate) fn nats() -> Option<Self> {
        Server::start().map(|server| Self { server: Some(server), ..Self::memory() })
    }

    pub(crate) fn is_nats(&self) -> bool {
        self.server.is_some()
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        if let Some(server) = &self.server {
            settings.kind = Kind::Nats;
            settings.nats.url = server.url();
        }
        settings
    }

    /// One more replica. In memory there is only one.
    pub(crate) async fn open(&self, settings: Settings) -> Broker {
        let open = async { Broker::open(settings).await.expect("a broker") };
        if self.is_nats() { open.await } else { self.only.get_or_init(|| open).await.clone() }
    }
}

/// Runs each case in both places.
macro_rules! suite {
    ($($case:ident)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::cases::$case(super::Place::memory()).await;
            })*
        }

        mod in_nats {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(place) = super::Place::nats() {
                    super::cases::$case(place).await;
                }
            })*
        }
    };
}

suite! {
    a_thousand_messages_are_each_done_once
    accepted_means_stored
    a_full_queue_takes_no_more
    too_long_a_message_is_refused
    what_a_dead_worker_had_in_hand_is_done_by_another
    a_message_that_kills_its_workers_is_given_up
    what_cannot_be_done_now_is_tried_again
    a_failure_is_kept_with_the_message
    waiting_ends_with_the_result_or_with_the_time
    the_oldest_results_go_first
    of_many_claims_one_is_the_first
    plans_are_kept
    ids_that_are_none_are_unknown
    draining_ends_the_workers_and_loses_nothing
    any_replica_answers
    the_load_is_told
    the_work_is_in_the_trace_of_its_request
}

pub(crate) fn message(id: &str) -> Message {
    Message {
        message_id: id.into(),
        message_type: MessageType::GeneratePlan,
        correlation_id: CorrelationId::parse("c-1").expect("an id"),
        data: Data::Brief(brief(&serde_json::json!({ "name": "Shop" }))),
        received_at: Timestamp::from(noon()),
        source: Source::Api,
        origin: Origin::default(),
    }
}

pub(crate) fn raw(text: &str) -> Box<RawValue> {
    serde_json::value::to_raw_value(text).expect("JSON")
}

/// The result of a message: its id.
pub(crate) fn echo(message: &Message) -> Box<RawValue> {
    raw(&message.message_id)
}

/// Workers that echo, until the broker is drained or the set is dropped.
pub(crate) fn echoing(broker: &Broker, workers: usize) -> JoinSet<()> {
    working(broker, workers, |message| std::future::ready(Ok(echo(&message))))
}

pub(crate) fn working<F>(
    broker: &Broker,
    workers: usize,
    handler: impl Fn(Arc<Message>) -> F + Clone + Send + Sync + 'static,
) -> JoinSet<()>
where
    F: Future<Output = Result<Box<RawValue>, Error>> + Send + 'static,
{
    let mut set = JoinSet::new();
    for _ in 0..workers {
        let (broker, handler) = (broker.clone(), handler.clone());
        set.spawn(async move { broker.consume(handler).await });
    }
    set
}

/// Asks until the answer is yes.
pub(crate) async fn until(is_so: impl AsyncFn() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, asking).await.expect("it comes true");
}

pub(crate) async fn pending(broker: &Broker) -> usize {
    broker.check().await.expect("an answer").pending
}

/// Long enough that only a broken broker takes longer.
pub(crate) const LONG: Duration = Duration::from_secs(30);
