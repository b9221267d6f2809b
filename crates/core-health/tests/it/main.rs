//! The public behaviour of `core-health`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "checks")]
mod checks;
#[cfg(feature = "serde")]
mod config;
mod endpoint;
mod events;
mod groups;
mod handles;
mod registration;
mod schedule;
mod schema;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_health::{Config, Event, Health, State};
use http::{Method, Request, StatusCode, header, request};
use serde_json::Value;

/// A service with the default timing, but that believes the first bad result.
fn health() -> Health {
    Health::new(undamped(), "1.2.3").unwrap()
}

fn undamped() -> Config {
    let mut config = Config::default();
    config.fall = 1;
    config
}

/// Everything the observer is told.
fn observed(health: Health) -> (Health, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    (health.with_observer(move |event| seen.lock().unwrap().push(event.clone())), events)
}

/// The changes among the events, as `name: from -> to (reason)`.
fn transitions(events: &Mutex<Vec<Event>>) -> Vec<String> {
    let events = events.lock().unwrap();
    let written = events.iter().filter_map(|event| match event {
        Event::Transition { check, from, to, reason, .. } => {
            let reason = reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            Some(format!("{check}: {from} -> {to}{reason}"))
        }
        _ => None,
    });
    written.collect()
}

/// Lets the checks run for so long, and then nobody runs them.
async fn run_for(health: &Health, duration: Duration) {
    assert!(tokio::time::timeout(duration, health.run()).await.is_err(), "run() has ended");
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn state(health: &Health, name: &str) -> State {
    check(health, name).state
}

#[track_caller]
fn check(health: &Health, name: &str) -> core_health::CheckSnapshot {
    let mut checks = health.snapshot().checks.into_iter();
    checks.find(|check| *check.name == *name).expect("a check of that name")
}

/// What came back for a request.
struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn asking(method: Method, target: &str, accept: &str) -> request::Parts {
    let request = Request::builder().method(method).uri(target).header(header::ACCEPT, accept);
    request.body(()).unwrap().into_parts().0
}

fn ask(
    health: &Health,
    method: Method,
    target: &str,
    accept: &str,
    details: bool,
) -> Option<Answer> {
    let request = asking(method, target, accept);
    let (parts, body) = health.respond(&request, details)?.into_parts();
    Some(Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    })
}

#[track_caller]
fn get(health: &Health, target: &str) -> Answer {
    ask(health, Method::GET, target, "*/*", false).expect("one of our paths")
}

#[track_caller]
fn text(health: &Health, target: &str, details: bool) -> String {
    ask(health, Method::GET, target, "text/plain", details).expect("one of our paths").body
}

fn is_up(health: &Health, target: &str) -> bool {
    get(health, target).status == StatusCode::OK
}
