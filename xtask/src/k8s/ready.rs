//! Waiting until all pods are ready, or until it is known that they will not be (K8S-3).

mod judge;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use self::judge::{Trouble, Verdict, judge};
use super::failure::{Failure, Kind};
use super::kubectl::Kubectl;
use super::manifest::{list, name, text};
use super::{NAMESPACE, pause};

/// All are ready within this time: three times what a deployment may take by its own deadline.
const LATE: Duration = Duration::from_secs(360);

/// An API server that has not answered for so long is gone; its restart takes less.
const GONE: Duration = Duration::from_secs(4);

/// As many of the last lines and events tell why.
const LINES: usize = 12;

/// Waits. What is told meanwhile says how far it is.
pub(crate) fn wait(kubectl: &Kubectl, step: &dyn Fn(&str)) -> anyhow::Result<String> {
    let began = Instant::now();
    let mut heard = Instant::now();
    loop {
        let kinds = "deployments,statefulsets,replicasets,pods,events";
        let seen = kubectl.get(&[kinds, "--namespace", NAMESPACE, "--request-timeout", "3s"]);
        let waiting = match seen {
            Ok(seen) => {
                heard = Instant::now();
                match judge(list(&seen, "/items"), SystemTime::now()) {
                    Verdict::Ready(note) => return Ok(note),
                    Verdict::Waiting(note) => note,
                    Verdict::Failed(trouble) => return Err(explain(kubectl, &seen, trouble).into()),
                }
            }
            Err(error) if heard.elapsed() > GONE => {
                return Err(
                    Failure::new(Kind::Gone, format!("the API server is gone: {error:#}")).into()
                );
            }
            Err(_) => "the API server does not answer".into(),
        };
        step(&waiting);
        if began.elapsed() > LATE {
            return Err(
                Failure::new(Kind::Late, format!("not ready in {LATE:?}: {waiting}")).into()
            );
        }
        pause();
    }
}

fn explain(kubectl: &Kubectl, seen: &Value, trouble: Trouble) -> Failure {
    let Trouble { kind, object, cause, has_run } = trouble;
    let is_about = |event: &&Value| text(event, "/involvedObject/name") == object;
    let events =
        list(seen, "/items").iter().filter(|it| text(it, "/kind") == "Event").filter(is_about);
    let mut events: Vec<_> = events.map(|it| (moment(it), shown(it))).collect();
    events.sort();
    let skipped = events.len().saturating_sub(LINES);
    let events = events.into_iter().skip(skipped).map(|(_, event)| event).collect();
    let lines = if has_run { last_lines(kubectl, &object) } else { Vec::new() };
    Failure { kind, cause, events, lines }
}

fn moment(event: &Value) -> String {
    let last = text(event, "/lastTimestamp");
    if last.is_empty() { text(event, "/eventTime").into() } else { last.into() }
}

fn shown(event: &Value) -> String {
    format!("{} {}: {}", text(event, "/type"), text(event, "/reason"), text(event, "/message"))
}

/// Of the process that has ended, if one has; else of the one that runs.
fn last_lines(kubectl: &Kubectl, pod: &str) -> Vec<String> {
    let tail = format!("--tail={LINES}");
    let logs = ["logs", pod, "--namespace", NAMESPACE, &tail, "--all-containers"];
    let previous = kubectl.run(&[&logs[..], &["--previous"]].concat());
    let log = previous.or_else(|_| kubectl.run(&logs)).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// `mira 1 of 2`
fn progress(object: &Value) -> String {
    let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64);
    let ready = number("/status/readyReplicas").unwrap_or_default();
    format!("{} {ready} of {}", name(object), number("/spec/replicas").unwrap_or(1))
}
