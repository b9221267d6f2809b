//! Three replicas that share the work by way of NATS; one is killed.

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::stage::Stage;
use crate::k8s::manifest::{list, name, text};
use crate::k8s::tunnel::Tunnel;
use crate::k8s::{NAMESPACE, pause};

const MESSAGES: usize = 300;

/// A worker that is gone is to be noticed soon.
const OVERLAY: &str = r#"components: [DEPLOY/components/nats]
namespace: mira
images: [{name: nats, newName: docker.io/library/nats, newTag: "2"}]
patches:
- target: {kind: Deployment, name: mira}
  patch: |
    - {op: replace, path: /spec/replicas, value: 3}
- target: {kind: ConfigMap, name: ^mira$}
  patch: |
    - {op: add, path: /data/99-test.toml, value: "broker.nats.ack_wait = \"2s\""}
"#;

/// Every message that was accepted is done, though one of the replicas was killed meanwhile.
pub(super) fn out(stage: &Stage<'_>) -> anyhow::Result<String> {
    stage.context.step("k8s: three replicas on NATS");
    let overlay = stage.overlay("scale", OVERLAY)?;
    let up = stage.up(&["--overlay", &overlay.display().to_string()])?;
    ensure!(up.code == Some(0), "{}", up.told);
    let tunnel = Tunnel::to_service(&stage.kubectl, "mira:app")?;
    let selector = ["--namespace", NAMESPACE, "--selector", "app.kubernetes.io/name=mira"];
    let pods = stage.kubectl.get(&[&["pods"], &selector[..]].concat())?;
    let pods: Vec<_> = list(&pods, "/items").iter().map(name).collect();
    let message = json!({"message_type": "generate_plan", "data": {"name": "Scale"}});
    let mut accepted = Vec::new();
    for sent in 0..MESSAGES {
        if sent == MESSAGES / 2 {
            stage.kubectl.run(&[
                "delete",
                "pod",
                pods[0],
                "--namespace",
                NAMESPACE,
                "--grace-period",
                "0",
                "--force",
            ])?;
        }
        // One that went to the pod that is being killed is not accepted, and nobody was told so.
        let Ok(answer) = tunnel.ask("/api/messages?wait=false", &[], Some(&message)) else {
            continue;
        };
        if answer.status == 202 {
            let said: Value = serde_json::from_str(&answer.text)?;
            accepted.push(text(&said, "/message_id").to_owned());
        }
    }
    ensure!(accepted.len() > MESSAGES * 9 / 10, "only {} messages were accepted", accepted.len());
    stage.context.step("k8s: what became of the messages");
    for id in &accepted {
        done(&tunnel, id)?;
    }
    let shares: Vec<_> = pods[1..].iter().map(|pod| share(stage, pod)).collect::<Result<_, _>>()?;
    ensure!(shares.iter().all(|share| *share > 0), "the work was not shared: {shares:?}");
    Ok(format!("3 replicas did {} messages though one was killed", accepted.len()))
}

fn done(tunnel: &Tunnel, id: &str) -> anyhow::Result<()> {
    for _ in 0..300 {
        let path = format!("/api/messages/{id}");
        // The way may still lead to the pod that was killed.
        let Some(answer) = tunnel.ask(&path, &[], None).ok().filter(|it| it.status == 200) else {
            pause();
            continue;
        };
        let said: Value = serde_json::from_str(&answer.text).context("no JSON")?;
        if text(&said, "/status") == "completed" {
            return Ok(());
        }
        ensure!(text(&said, "/status") != "failed", "{}", answer.text);
        pause();
    }
    anyhow::bail!("the message {id} was accepted and never done")
}

/// What a pod says that it has done.
fn share(stage: &Stage<'_>, pod: &str) -> anyhow::Result<u64> {
    let metrics = Tunnel::to_pod(&stage.kubectl, pod, 9090)?.ask("/metrics", &[], None)?;
    let values = metrics.text.lines().filter(|line| line.starts_with("mira_messages_total{"));
    Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum())
}
