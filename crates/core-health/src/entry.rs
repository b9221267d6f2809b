use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::{Status, Timestamp};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::damping::Damping;
use crate::event::Events;
use crate::shared::locked;
use crate::summary::Summary;
use crate::{CheckSnapshot, Event, Group, Kind, State, respond};

/// One named check of any kind: what was last heard of it, and what that means now.
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    kind: Kind,
    gates: bool,
    /// Age at which the last word counts no more: a check's time to live, a heartbeat's limit.
    lifetime: Option<Duration>,
    latest: Mutex<Latest>,
}

pub(crate) struct Latest {
    damping: Damping,
    reason: Option<Arc<str>>,
    data: Arc<Map<String, Value>>,
    latency: Option<Duration>,
    /// What everybody may know, as it was last written; none once that has changed.
    member: Option<(State, Arc<str>)>,
    at: Option<Instant>,
    /// The state that the observer knows, and since when.
    reported: State,
    since: Timestamp,
}

/// The moment of a look at the entries, and what is true of all of them in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    pub(crate) stopping: bool,
}

impl Entry {
    /// Whether it belongs to a group.
    pub(crate) fn is_in(&self, group: Group) -> bool {
        group.has(self.kind, self.gates)
    }

    /// An entry of which nothing is known, for the reason given.
    pub(crate) fn new(name: Arc<str>, kind: Kind, unknown: &str) -> Self {
        let latest = Latest {
            damping: Damping::new(1, 1),
            reason: Some(unknown.into()),
            data: Arc::default(),
            latency: None,
            member: None,
            at: None,
            reported: State::Unknown,
            since: Timestamp::now(),
        };
        Self { name, kind, gates: true, lifetime: None, latest: Mutex::new(latest) }
    }

    pub(crate) fn with_gates(mut self, gates: bool) -> Self {
        self.gates = gates;
        self
    }

    pub(crate) fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    pub(crate) fn with_damping(mut self, rise: u32, fall: u32) -> Self {
        self.latest.get_mut().expect("nobody else has it yet").damping = Damping::new(rise, fall);
        self
    }

    /// An entry that begins as healthy, which is no transition.
    pub(crate) fn with_healthy_start(mut self, now: Now) -> Self {
        let latest = self.latest.get_mut().expect("nobody else has it yet");
        latest.hear(Status::Healthy, None, now);
        latest.reported = State::Healthy;
        self
    }

    /// Takes a change in, and tells of it when the state changed by it.
    pub(crate) fn change(&self, now: Now, events: &Events, change: impl FnOnce(&mut Latest)) {
        let mut latest = locked(&self.latest);
        if self.expired(&latest, now) {
            self.settle(&mut latest, now, events);
            latest.damping.forget();
        }
        change(&mut latest);
        self.settle(&mut latest, now, events);
    }

    /// The state now. Tells of it when time has changed it.
    pub(crate) fn look(&self, now: Now, events: &Events) {
        self.settle(&mut locked(&self.latest), now, events);
    }

    /// Adds what everybody may know now. Tells of the state when time has changed it.
    pub(crate) fn add_to(&self, summary: &mut Summary, now: Now, events: &Events) {
        let mut latest = locked(&self.latest);
        let (state, _) = self.settle(&mut latest, now, events);
        summary.status = summary.status.max(state.weight(self.gates));
        if !summary.members.is_empty() {
            summary.members.push(b',');
        }
        summary.members.extend_from_slice(latest.member(&self.name, state).as_bytes());
        let until = latest.at.zip(self.lifetime).and_then(|(at, time)| at.checked_add(time));
        let until = until.filter(|until| *until >= now.instant);
        summary.until = summary.until.into_iter().chain(until).min();
    }

    /// Everything that is known now. Tells of it when time has changed it.
    pub(crate) fn snapshot(&self, now: Now, events: &Events) -> CheckSnapshot {
        let mut latest = locked(&self.latest);
        let (state, replaced) = self.settle(&mut latest, now, events);
        CheckSnapshot {
            name: Arc::clone(&self.name),
            kind: self.kind,
            gates: self.gates,
            state,
            since: latest.since,
            latency: latest.latency,
            age: latest.at.map(|at| now.instant.saturating_duration_since(at)),
            reason: replaced.map(Arc::from).or_else(|| latest.reason.clone()),
            data: Arc::clone(&latest.data),
            member: Arc::clone(latest.member(&self.name, state)),
        }
    }

    /// The state now, and the reason if it is another than that of the last word.
    fn settle(
        &self,
        latest: &mut Latest,
        now: Now,
        events: &Events,
    ) -> (State, Option<&'static str>) {
        let (state, replaced) = self.state(latest, now);
        if state != latest.reported {
            events.push(Event::Transition {
                check: Arc::clone(&self.name),
                kind: self.kind,
                from: latest.reported,
                to: state,
                reason: replaced.map(Arc::from).or_else(|| latest.reason.clone()),
            });
            latest.reported = state;
            latest.since = Timestamp::now();
        }
        (state, replaced)
    }

    fn state(&self, latest: &Latest, now: Now) -> (State, Option<&'static str>) {
        let state = latest.damping.status().map_or(State::Unknown, State::from);
        match self.kind {
            // The loops end one by one now, and the stop has a deadline of its own.
            Kind::Heartbeat if now.stopping => {
                (State::Healthy, Some("not watched while the service stops"))
            }
            Kind::Heartbeat if state == State::Healthy && self.expired(latest, now) => {
                (State::Unhealthy, Some("its last beat is older than its limit"))
            }
            Kind::Check if self.expired(latest, now) => {
                (State::Unknown, Some("its last result is older than its time to live"))
            }
            _ => (state, None),
        }
    }

    fn expired(&self, latest: &Latest, now: Now) -> bool {
        let age = latest.at.map(|at| now.instant.saturating_duration_since(at));
        age.zip(self.lifetime).is_some_and(|(age, lifetime)| age > lifetime)
    }
}

impl Latest {
    /// Takes in what was found or told.
    pub(crate) fn hear(&mut self, status: Status, reason: Option<Arc<str>>, now: Now) {
        self.damping.observe(status);
        self.at = Some(now.instant);
        self.reason = match self.damping.status() {
            None => reason.or_else(|| Some("has not been good often enough yet".into())),
            Some(Status::Healthy) => reason,
            // The status may stand for older results still, and then so does their reason.
            Some(_) => reason.or_else(|| self.reason.take()),
        };
    }

    /// Takes in what a run has measured.
    pub(crate) fn measure(&mut self, latency: Duration, data: Map<String, Value>) {
        self.member = None;
        self.latency = Some(latency);
        self.data = Arc::new(data);
    }

    pub(crate) fn set_data(&mut self, key: String, value: Value) {
        self.member = None;
        Arc::make_mut(&mut self.data).insert(key, value);
    }

    /// What everybody may know of it in this state, as a member of an answer.
    fn member(&mut self, name: &str, state: State) -> &Arc<str> {
        if self.member.as_ref().is_none_or(|(of, _)| *of != state) {
            let member = respond::member(name, state, self.latency, &self.data, None);
            self.member = Some((state, member.into()));
        }
        &self.member.as_ref().expect("it was just written").1
    }
}
