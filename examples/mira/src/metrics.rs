//! What Mira counts, for operators. `docs/metrics.md` lists it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use core_app::metrics::{self, Buckets, CounterFamily, HistogramFamily};

use crate::Message;
use crate::broker::Load;
use crate::message::{MessageType, Source};

/// Mira's own metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics {
    accepted: CounterFamily<2>,
    done: CounterFamily<2>,
    retries: CounterFamily<1>,
    waits: HistogramFamily<1>,
    durations: HistogramFamily<1>,
    load: Arc<Mutex<Option<Load>>>,
}

/// What becomes of a message that was taken in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    Completed,
    Failed,
}

impl Done {
    const ALL: [Self; 2] = [Self::Completed, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl Metrics {
    /// Registers them.
    ///
    /// # Errors
    /// If another metric stands in the way of one of them.
    pub fn new(metrics: &metrics::Metrics) -> Result<Self, metrics::Error> {
        let of_type = ["message_type"];
        let own = Self {
            accepted: metrics.counter_family(
                "mira_messages_accepted_total",
                "Messages that were accepted, by type and by where they came from.",
                ["message_type", "source"],
            )?,
            done: metrics.counter_family(
                "mira_messages_total",
                "Messages that are done, by type and by what became of them.",
                ["message_type", "outcome"],
            )?,
            retries: metrics.counter_family(
                "mira_message_retries_total",
                "Tries that were in vain and are made again, by type.",
                of_type,
            )?,
            waits: metrics.histogram_family(
                "mira_message_wait_seconds",
                "From a message's acceptance to its first try, by type.",
                of_type,
                Buckets::seconds(),
            )?,
            durations: metrics.histogram_family(
                "mira_message_duration_seconds",
                "What a try takes, from the message in hand to the stored result, by type.",
                of_type,
                Buckets::seconds(),
            )?,
            load: Arc::default(),
        };
        own.begin_at_zero();
        let load = Arc::clone(&own.load);
        metrics.collect_with("mira_queue", move |samples| {
            let load = *load.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(Load { pending, capacity }) = load else { return };
            let help = "Messages that are not done, by the last check of the broker.";
            samples.gauge("mira_queue_pending", help, &[], number(pending));
            let help = "Messages that may be accepted and not done.";
            samples.gauge("mira_queue_capacity", help, &[], number(capacity));
        });
        Ok(own)
    }

    /// Series are there before anything happens, so that the first of its kind is an increase.
    fn begin_at_zero(&self) {
        for message_type in MessageType::ALL.map(MessageType::as_str) {
            self.retries.with([message_type]);
            for outcome in Done::ALL {
                self.done.with([message_type, outcome.as_str()]);
            }
        }
        for message_type in MessageType::CALLABLE {
            self.accepted.with([message_type.as_str(), Source::Api.as_str()]);
        }
        for (message_type, source) in
            [(MessageType::GithubEvent, Source::Github), (MessageType::JiraEvent, Source::Jira)]
        {
            self.accepted.with([message_type.as_str(), source.as_str()]);
        }
    }

    pub(crate) fn accepted(&self, message_type: MessageType, source: Source) {
        self.accepted.with([message_type.as_str(), source.as_str()]).increment();
    }

    /// A worker has a message in hand. Replicas' clocks may differ: less than no time is none.
    pub(crate) fn begun(&self, message: &Message, attempt: u32) {
        if attempt == 1 {
            let accepted = SystemTime::from(message.received_at);
            let waited = SystemTime::now().duration_since(accepted).unwrap_or_default();
            self.waits.with([message.message_type.as_str()]).observe(waited.as_secs_f64());
        }
    }

    pub(crate) fn done(&self, message_type: MessageType, done: Done, took: Duration) {
        self.done.with([message_type.as_str(), done.as_str()]).increment();
        self.durations.with([message_type.as_str()]).observe(took.as_secs_f64());
    }

    pub(crate) fn retried(&self, message_type: MessageType, took: Duration) {
        self.retries.with([message_type.as_str()]).increment();
        self.durations.with([message_type.as_str()]).observe(took.as_secs_f64());
    }

    /// What the broker holds; `None` if it does not say, and then nothing is exposed of it.
    pub(crate) fn set_load(&self, load: Option<Load>) {
        *self.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
    }
}

/// Queues are far shorter than what a floating-point number counts exactly.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn number(count: usize) -> f64 {
    count as f64
}
