use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;

use crate::client::{Answer, get, send};
use crate::mira::Mira;

const SECRET: &str = "webhook-s3cret";
pub(crate) const BODY: &str = r#"{"action": "opened", "issue": {"number": 7, "title": "Ship it"}, "repository": {"full_name": "octo/repo"}}"#;

pub(crate) fn signature(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let digits: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={digits}")
}

pub(crate) fn github(app: &str, signature: Option<&str>, delivery: &str, body: &str) -> Answer {
    let mut headers = vec![("x-github-event", "issues"), ("x-github-delivery", delivery)];
    headers.extend(signature.map(|signature| ("x-hub-signature-256", signature)));
    send(app, "POST", "/webhook/github", &headers, body)
}

/// A signed delivery is accepted, and once only; an unsigned or wrongly signed one is refused.
#[test]
fn deliveries_are_verified_and_done_once() {
    let mira = Mira::start_with(
        &[],
        &[("MIRA_GITHUB_WEBHOOK_SECRET", SECRET), ("MIRA_JIRA_WEBHOOK_SECRET", SECRET)],
    );
    let app = mira.app();
    let signed = signature(SECRET, BODY);
    let first = github(&app, Some(&signed), "d-1", BODY);
    assert_eq!((first.status, &first.json()["status"]), (202, &json!("queued")));
    let id = first.json()["message_id"].as_str().unwrap().to_owned();
    let again = github(&app, Some(&signed), "d-1", BODY);
    assert_eq!((again.status, &again.json()["message_id"]), (200, &json!(id)));
    for wrong in
        [None, Some(signature("other", BODY)), Some("sha256=zz".into()), Some(String::new())]
    {
        let refused = github(&app, wrong.as_deref(), "d-2", BODY);
        assert_eq!(refused.status, 401, "{wrong:?}");
        assert_eq!(refused.json()["error_code"], "INVALID_SIGNATURE");
        let problem = if wrong.is_none() { "is missing" } else { "does not fit the body" };
        let message = format!("the signature {problem}: header `X-Hub-Signature-256`");
        assert_eq!(refused.json()["message"], message);
        // RFC 9110, section 11.6.1: a 401 says what would be accepted.
        let challenge = r#"HMAC-SHA256 realm="github", header="X-Hub-Signature-256""#;
        assert_eq!(refused.header("www-authenticate"), Some(challenge));
    }
    let line = mira.wait_for("work", |line| {
        line["message"] == "Processing message" && line["workflow_id"] == id.as_str()
    });
    assert!(line["correlation_id"].is_string() && line["agent_id"].is_string());
    while get(&app, &format!("/api/messages/{id}")).json()["status"] != "completed" {}

    let jira = r#"{"webhookEvent": "jira:issue_created", "issue": {"key": "MIRA-1", "fields": {"summary": "Plan it"}}}"#;
    let headers = [
        ("x-hub-signature", signature(SECRET, jira)),
        ("x-atlassian-webhook-identifier", "j-1".into()),
    ];
    let headers: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(send(&app, "POST", "/webhook/jira", &headers, jira).status, 202);
    mira.stop();
}

/// Without a secret the webhook is not there; who wants it is warned.
#[test]
fn a_webhook_without_a_secret_answers_404() {
    let mira = Mira::start_with(&[], &[("MIRA_GITHUB_ENABLED", "true"), ("GITHUB_TOKEN", "t")]);
    let app = mira.app();
    let answer = github(&app, Some(&signature(SECRET, BODY)), "d-1", BODY);
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json()["message"],
        "the webhook `github` is not configured: it needs `integrations.github.webhook_secret`, \
         and is not to be disabled"
    );
    assert_eq!(answer.json()["details"]["key"], "integrations.github.webhook_secret");
    let warning =
        mira.wait_for("warning", |line| line["missing"] == "integrations.github.webhook_secret");
    assert_eq!(warning["level"], "WARN");
    mira.stop();
}

/// CFG-10: a rotated webhook secret counts without a restart.
#[test]
fn a_webhook_secret_rotates() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("github-webhook");
    std::fs::write(&secret, SECRET).unwrap();
    let directory = format!("secrets.file.directory={}", folder.path().display());
    let mira = Mira::start_with(
        &[
            "--set",
            "secrets.backend=file",
            "--set",
            &directory,
            "--set",
            "secrets.auto_refresh=true",
            "--set",
            "secrets.refresh_interval=1",
        ],
        &[("MIRA_GITHUB_WEBHOOK_SECRET", "secret://github-webhook")],
    );
    let app = mira.app();
    assert_eq!(github(&app, Some(&signature(SECRET, BODY)), "d-1", BODY).status, 202);
    std::fs::write(&secret, "another-s3cret").unwrap();
    mira.wait_for_message("Configuration reloaded successfully");
    assert_eq!(github(&app, Some(&signature(SECRET, BODY)), "d-2", BODY).status, 401);
    assert_eq!(github(&app, Some(&signature("another-s3cret", BODY)), "d-3", BODY).status, 202);
    mira.stop();
}
