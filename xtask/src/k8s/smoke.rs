//! Whether what was put on the cluster works (K8S-4): messages through the Service give plans,
//! Prometheus has counted exactly these, an edit and a rotation reach the processes that run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use super::failure::{Failure, Kind};
use super::kubectl::Kubectl;
use super::manifest::{list, name, text};
use super::tunnel::Tunnel;
use super::{NAMESPACE, pause};

const MESSAGES: u64 = 20;

const PODS: &[&str] =
    &["pods", "--namespace", NAMESPACE, "--selector", "app.kubernetes.io/name=mira"];

/// A kubelet that is not told looks every minute.
const SOON: Duration = Duration::from_secs(90);

pub(crate) fn run(kubectl: &Kubectl, step: &dyn Fn(&str)) -> anyhow::Result<String> {
    checks(kubectl, step).map_err(Failure::because(Kind::Smoke))
}

fn checks(kubectl: &Kubectl, step: &dyn Fn(&str)) -> anyhow::Result<String> {
    let smoke = Smoke { kubectl, before: pods(kubectl)? };
    step("messages through the Service");
    let counted = smoke.counted_by_pods()?;
    let trace = smoke.messages()?;
    step("the trace in the log");
    smoke.trace(&trace)?;
    step("what Prometheus has counted");
    smoke.prometheus(counted + MESSAGES)?;
    step("an edit of the ConfigMap");
    let edit = smoke.edit()?;
    step("a rotation of the Secret");
    let rotation = smoke.rotation()?;
    ensure!(pods(kubectl)? == smoke.before, "pods were restarted meanwhile");
    Ok(format!(
        "{MESSAGES} messages gave plans and were scraped; an edit came after {:.1} s, a rotation after {:.1} s",
        edit.as_secs_f64(),
        rotation.as_secs_f64()
    ))
}

struct Smoke<'a> {
    kubectl: &'a Kubectl,
    before: Vec<Pod>,
}

/// A pod that runs.
#[derive(Debug, PartialEq, Eq)]
struct Pod {
    name: String,
    address: String,
    id: String,
    restarts: u64,
}

fn pods(kubectl: &Kubectl) -> anyhow::Result<Vec<Pod>> {
    let seen = kubectl.get(PODS)?;
    let stays = |pod: &&Value| pod.pointer("/metadata/deletionTimestamp").is_none();
    let pod = |pod: &Value| Pod {
        name: name(pod).into(),
        address: text(pod, "/status/podIP").into(),
        id: text(pod, "/metadata/uid").into(),
        restarts: pod
            .pointer("/status/containerStatuses/0/restartCount")
            .and_then(Value::as_u64)
            .unwrap_or_default(),
    };
    Ok(list(&seen, "/items").iter().filter(stays).map(pod).collect())
}

impl Smoke<'_> {
    /// The sum of what all pods say that they have done.
    fn counted_by_pods(&self) -> anyhow::Result<u64> {
        let mut sum = 0;
        for pod in &self.before {
            let metrics =
                Tunnel::to_pod(self.kubectl, &pod.name, 9090)?.ask("/metrics", &[], None)?;
            let values =
                metrics.text.lines().filter(|line| line.starts_with("mira_messages_total{"));
            let value = |line: &str| line.rsplit(' ').next().and_then(|it| it.parse::<u64>().ok());
            sum += values.filter_map(value).sum::<u64>();
        }
        Ok(sum)
    }

    /// Sends messages, each of which must give a plan, and returns the trace that they belong to.
    fn messages(&self) -> anyhow::Result<String> {
        let tunnel = Tunnel::to_service(self.kubectl, "mira:app")?;
        let trace = format!("{:032x}", fresh());
        let parent = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01");
        let message = json!({"message_type": "generate_plan", "data": {"name": "Smoke", "goals": ["It works"]}});
        for _ in 0..MESSAGES {
            let answer = tunnel.ask("/api/messages", &[&parent], Some(&message))?;
            let said: Value = serde_json::from_str(&answer.text).unwrap_or_default();
            let is_plan = !list(&said, "/result/plan/tasks").is_empty();
            ensure!(
                answer.status == 200 && is_plan,
                "no plan, but {}: {}",
                answer.status,
                answer.text
            );
        }
        Ok(trace)
    }

    fn trace(&self, trace: &str) -> anyhow::Result<()> {
        soon(|| {
            let mut seen = 0;
            for pod in &self.before {
                let log = self.kubectl.run(&["logs", "--namespace", NAMESPACE, &pod.name])?;
                let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
                seen += lines.filter(|line| line["trace_id"] == trace).count() as u64;
            }
            ensure!(
                seen >= MESSAGES,
                "{seen} lines of {MESSAGES} requests have their trace id {trace}"
            );
            Ok(())
        })
        .map(drop)
    }

    fn prometheus(&self, expected: u64) -> anyhow::Result<()> {
        let tunnel = Tunnel::to_service(self.kubectl, "prometheus:web")?;
        soon(|| {
            let answer = tunnel.ask("/api/v1/query?query=mira_messages_total", &[], None)?;
            let said: Value = serde_json::from_str(&answer.text)
                .with_context(|| format!("Prometheus says {}: {}", answer.status, answer.text))?;
            let is_here = |series: &&Value| {
                let instance = text(series, "/metric/instance");
                self.before.iter().any(|pod| instance == format!("{}:9090", pod.address))
            };
            let series = list(&said, "/data/result").iter().filter(is_here);
            let sum: u64 = series.filter_map(|it| text(it, "/value/1").parse::<u64>().ok()).sum();
            ensure!(
                sum == expected,
                "Prometheus has counted {sum} messages, and {expected} were answered"
            );
            Ok(())
        })
        .map(drop)
    }

    /// Adds a file to the ConfigMap, and takes it away again.
    fn edit(&self) -> anyhow::Result<Duration> {
        let file = "99-smoke.toml";
        let level = |wanted: &str| {
            soon(|| {
                let token = self.token()?;
                let bearer = format!("Authorization: Bearer {token}");
                for pod in &self.before {
                    let tunnel = Tunnel::to_pod(self.kubectl, &pod.name, 9090)?;
                    let said = tunnel.ask("/ops/log-levels", &[&bearer], None)?;
                    let levels: Value = serde_json::from_str(&said.text)?;
                    let level = text(&levels, "/levels/0/configured");
                    ensure!(
                        level == wanted,
                        "{} is at {level:?}, not at {wanted:?}: {}",
                        pod.name,
                        said.text
                    );
                }
                Ok(())
            })
        };
        self.patch("configmap", &json!({"data": {file: "[logging]\nlevel = \"debug\"\n"}}))?;
        let took = level("DEBUG");
        self.patch("configmap", &json!({"data": {file: null}}))?;
        level("INFO")?;
        took
    }

    /// Gives the pods another token, and then the old one again.
    fn rotation(&self) -> anyhow::Result<Duration> {
        let old = self.token()?;
        let new = format!("smoke-{:x}", fresh());
        let rotate = |from: &str, to: &str| {
            self.patch("secret", &json!({"stringData": {"ops-token": to}}))?;
            soon(|| {
                for pod in &self.before {
                    let tunnel = Tunnel::to_pod(self.kubectl, &pod.name, 9090)?;
                    for (token, expected) in [(to, 200), (from, 401)] {
                        let bearer = format!("Authorization: Bearer {token}");
                        let status = tunnel.ask("/ops/log-levels", &[&bearer], None)?.status;
                        ensure!(status == expected, "{} says {status}, not {expected}", pod.name);
                    }
                }
                Ok(())
            })
        };
        let took = rotate(&old, &new);
        rotate(&new, &old)?;
        took
    }

    fn token(&self) -> anyhow::Result<String> {
        let decoded = r#"go-template={{index .data "ops-token" | base64decode}}"#;
        self.kubectl.run(&["get", "secret", "mira", "--namespace", NAMESPACE, "--output", decoded])
    }

    /// Changes an object named `mira`, and has the kubelet look at once instead of within a minute.
    fn patch(&self, kind: &str, change: &Value) -> anyhow::Result<()> {
        let patch = [
            "patch",
            kind,
            "mira",
            "--namespace",
            NAMESPACE,
            "--type",
            "merge",
            "--patch-file",
            "/dev/stdin",
        ];
        self.kubectl.feed(&patch, &change.to_string())?;
        let touched = format!("mira/touched={:x}", fresh());
        let annotate = [&["annotate", "--overwrite"], PODS, &[touched.as_str()]].concat();
        self.kubectl.run(&annotate).map(drop)
    }
}

/// Waits until something holds, and tells how long that took.
fn soon(holds: impl Fn() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    loop {
        match holds() {
            Ok(()) => return Ok(began.elapsed()),
            Err(error) if began.elapsed() > SOON => bail!("not within {SOON:?}: {error:#}"),
            Err(_) => pause(),
        }
    }
}

/// A number that was never used before.
fn fresh() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (since.as_nanos() << 32) | u128::from(std::process::id())
}
