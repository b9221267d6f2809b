use crate::client::{get, post, send};
use crate::mira::Mira;

/// SEC-6, LOG-7: a secret is in nothing that the process says, at any level.
#[test]
fn no_secret_is_ever_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let config = |extra: &str| {
        std::fs::write(
            &path,
            format!(
                r#"{{"logging": {{"level": "trace", "file": "{}"}},
                    "broker": {{"nats": {{"password": "canary-password", "url": "nats://me:canary-url@host"}}}},
                    "integrations": {{"jira": {{"username": "secret://JIRA_USER", "webhook_secret": "canary-webhook"}}}}{extra}}}"#,
                folder.path().join("app.log").display()
            ),
        )
        .unwrap();
    };
    config("");
    let mira = Mira::start_with(
        &["--config", path.to_str().unwrap()],
        &[
            ("GITHUB_TOKEN", "canary-token"),
            ("JIRA_USER", "canary-reference"),
            ("MIRA_OPS_TOKEN", "canary-ops"),
        ],
    );
    let (app, ops) = (mira.app(), mira.ops());
    let token = [("authorization", "Bearer canary-ops")];
    let mut said = String::new();
    // What a stranger or a careless caller brings: values that are known secrets are scrubbed.
    post(
        &app,
        "/api/messages",
        r#"{"message_type": "generate_plan", "data": {"name": "canary-token"}}"#,
    );
    send(&app, "GET", "/api/messages/canary-webhook", &[("x-correlation-id", "canary-ops")], "");
    for (address, path) in [
        (&app, "/health"),
        (&ops, "/health"),
        (&ops, "/metrics"),
        (&ops, "/ops/config"),
        (&ops, "/ops/log-levels"),
    ] {
        let answer = send(address, "GET", path, &token, "");
        assert_eq!(answer.status, 200, "{path}");
        said += &answer.body;
    }
    config(r#", "server": {"bind_address": "canary-mistake"}, "unknown": "canary-value""#);
    let refused = send(&ops, "POST", "/ops/reload", &token, "");
    assert_eq!(refused.status, 422);
    said += &refused.body;
    said += &get(&app, "/nothing").body;
    mira.signal("TERM");
    let (_, lines, stderr) = mira.end();
    said += &serde_json::to_string(&lines).unwrap();
    said += &stderr;
    said += &std::fs::read_to_string(folder.path().join("app.log")).unwrap();
    let found =
        said.find("canary").map(|at| &said[at.saturating_sub(300)..(at + 60).min(said.len())]);
    assert_eq!(found, None);
    assert!(said.contains("\"level\":\"TRACE\"") || said.contains("\"level\":\"DEBUG\""));
}
