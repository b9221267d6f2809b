use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, watch};

use super::record::{Record, Status};
use super::settings::Settings;
use super::shelf::Shelf;
use super::{Claim, Load};
use crate::{Error, Message};

/// The broker inside this process.
#[derive(Debug)]
pub(super) struct Memory {
    state: Mutex<State>,
    /// One permit for each message in the queue. Closed when no more are taken.
    ready: Semaphore,
    capacity: usize,
}

#[derive(Debug)]
struct State {
    /// Ids of messages that wait, the oldest first.
    queue: VecDeque<String>,
    /// Messages that wait or are worked on. They are bounded by the capacity, and never dropped.
    pending: HashMap<String, Pending>,
    done: Shelf<Arc<Record>>,
    plans: Shelf<Arc<[u8]>>,
    deliveries: Shelf<Claimed>,
}

#[derive(Debug)]
struct Pending {
    message: Arc<Message>,
    /// How often it was given to a worker.
    attempts: u32,
    /// Told whenever the status changes. Closed after the last change.
    record: watch::Sender<Arc<Record>>,
}

#[derive(Clone, Debug)]
struct Claimed {
    message_id: String,
    is_confirmed: bool,
}

impl Memory {
    pub(super) fn new(settings: &Settings) -> Self {
        let store = &settings.store;
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                pending: HashMap::new(),
                done: Shelf::new(store.clone()),
                plans: Shelf::new(store.clone()),
                deliveries: Shelf::new(store.clone()),
            }),
            ready: Semaphore::new(0),
            capacity: usize::try_from(settings.capacity).unwrap_or(usize::MAX),
        }
    }

    /// No step under the lock can panic half-way, so what a panicking thread left is whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn submit(&self, message: Message) -> Result<(), Error> {
        let mut state = self.state();
        let id = message.message_id.clone();
        if state.pending.contains_key(&id) || state.done.get(&id).is_some() {
            return Ok(());
        }
        if self.ready.is_closed() {
            return Err(super::stopping());
        }
        if state.pending.len() >= self.capacity {
            return Err(super::full());
        }
        let (record, _) = watch::channel(Arc::new(Record::new(&message, Status::Queued)));
        let pending = Pending { message: Arc::new(message), attempts: 0, record };
        state.pending.insert(id.clone(), pending);
        state.queue.push_back(id);
        self.ready.add_permits(1);
        Ok(())
    }

    /// The next message; `None` once no more are taken and none is left.
    pub(super) async fn next(self: &Arc<Self>) -> Option<InHand> {
        // Once closed there are no permits any more, and the rest is taken without.
        if let Ok(permit) = self.ready.acquire().await {
            permit.forget();
        }
        let mut state = self.state();
        let id = state.queue.pop_front()?;
        let pending = state.pending.get_mut(&id).expect("what is queued is pending");
        pending.attempts += 1;
        let (message, attempt) = (Arc::clone(&pending.message), pending.attempts);
        Some(InHand { broker: Arc::clone(self), message, attempt, is_settled: false })
    }

    pub(super) fn record(&self, id: &str) -> Option<Arc<Record>> {
        let mut state = self.state();
        match state.pending.get(id) {
            Some(pending) => Some(Arc::clone(&pending.record.borrow())),
            None => state.done.get(id).cloned(),
        }
    }

    /// Waits until the message is done.
    pub(super) async fn done(&self, id: &str) -> Option<Arc<Record>> {
        let mut changes = {
            let mut state = self.state();
            match state.pending.get(id) {
                Some(pending) => pending.record.subscribe(),
                None => return state.done.get(id).cloned(),
            }
        };
        // The record that was told last stays readable after the message is no longer pending.
        let last = changes.wait_for(|record| record.status.is_final()).await;
        last.ok().map(|record| Arc::clone(&record))
    }

    pub(super) fn put_plan(&self, id: &str, plan: &[u8]) {
        self.state().plans.put(id, plan.into(), plan.len());
    }

    pub(super) fn plan(&self, id: &str) -> Option<Arc<[u8]>> {
        self.state().plans.get(id).cloned()
    }

    pub(super) fn claim(&self, key: &str, message_id: &str) -> Claim {
        let mut state = self.state();
        if let Some(Claimed { message_id, is_confirmed }) = state.deliveries.get(key).cloned() {
            return Claim::Seen { message_id, is_confirmed };
        }
        let claimed = Claimed { message_id: message_id.into(), is_confirmed: false };
        state.deliveries.put(key, claimed, key.len() + message_id.len());
        Claim::New
    }

    pub(super) fn confirm(&self, key: &str, message_id: &str) {
        let claimed = Claimed { message_id: message_id.into(), is_confirmed: true };
        self.state().deliveries.put(key, claimed, key.len() + message_id.len());
    }

    pub(super) fn load(&self) -> Load {
        Load { pending: self.state().pending.len(), capacity: self.capacity }
    }

    /// Takes no more messages. Those that wait are still given to workers.
    pub(super) fn drain(&self) {
        self.ready.close();
    }
}

/// A message that a worker has. Dropped before it is settled, it goes back to the queue's front.
#[derive(Debug)]
pub(super) struct InHand {
    broker: Arc<Memory>,
    pub(super) message: Arc<Message>,
    pub(super) attempt: u32,
    is_settled: bool,
}

impl InHand {
    pub(super) fn running(&self) {
        self.tell(Status::Running);
    }

    pub(super) fn finish(mut self, record: Record) {
        self.is_settled = true;
        let mut state = self.broker.state();
        let size = record.size();
        let record = Arc::new(record);
        state.done.put(&self.message.message_id, Arc::clone(&record), size);
        if let Some(pending) = state.pending.remove(&self.message.message_id) {
            pending.record.send_replace(record);
        }
    }

    fn tell(&self, status: Status) {
        if let Some(pending) = self.broker.state().pending.get(&self.message.message_id) {
            pending.record.send_replace(Arc::new(Record::new(&self.message, status)));
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        if !self.is_settled {
            self.tell(Status::Queued);
            self.broker.state().queue.push_front(self.message.message_id.clone());
            self.broker.ready.add_permits(1);
        }
    }
}
