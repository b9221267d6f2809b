//! The founding documents' configuration and names.

use std::path::Path;

use crate::client::get;
use crate::mira::{Mira, TOKEN, command, output};

fn explain(variables: &[(&str, &str)], key: &str) -> String {
    let mut command = command(&["--explain", key]);
    let (code, stdout, stderr) = output(command.envs(variables.iter().copied()));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{key}");
    stdout
}

/// CFG-2: the environment names of the guide reach their keys.
#[test]
fn the_guides_variables_work() {
    for (variable, value, key, expected) in [
        ("MIRA_LOG_LEVEL", "DEBUG", "logging.level", "\"DEBUG\""),
        ("MIRA_LOG_JSON", "true", "logging.json_format", "true"),
        ("MIRA_CONFIG_HOT_RELOAD", "true", "config.hot_reload", "true"),
        ("MIRA_SECRETS_BACKEND", "file", "secrets.backend", "\"file\""),
        ("MIRA_SECRETS_AUTO_REFRESH", "true", "secrets.auto_refresh", "true"),
        ("MIRA_SERVER_BIND_ADDRESS", "127.0.0.1:1", "server.bind_address", "\"127.0.0.1:1\""),
        ("MIRA_OPS_BIND_ADDRESS", "127.0.0.1:2", "ops.bind_address", "\"127.0.0.1:2\""),
        ("MIRA_GITHUB_ENABLED", "true", "integrations.github.enabled", "true"),
        ("MIRA_GITHUB_WEBHOOK_SECRET", "x", "integrations.github.webhook_secret", "\"[REDACTED]\""),
        ("MIRA_JIRA_ENABLED", "false", "integrations.jira.enabled", "false"),
        ("MIRA_JIRA_WEBHOOK_SECRET", "x", "integrations.jira.webhook_secret", "\"[REDACTED]\""),
        ("GITHUB_TOKEN", "x", "integrations.github.token", "\"[REDACTED]\""),
        ("JIRA_API_TOKEN", "x", "integrations.jira.api_token", "\"[REDACTED]\""),
        ("MIRA_OPS_TOKEN", "x", "ops.token", "\"[REDACTED]\""),
    ] {
        let expected = format!("{key} = {expected}\n  from variable {variable}\n");
        let explained = explain(&[(variable, value)], key);
        assert!(explained.starts_with(&expected), "{explained}");
    }
}

/// The shipped configuration runs as the guide runs it, a bare path included. A log file that
/// cannot be opened degrades, and refuses nothing.
#[test]
fn the_guides_configuration_runs() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.json");
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log/mira/app.log");
    let log = log.to_str().unwrap();
    let free = ["--set=server.bind_address=127.0.0.1:0", "--set=ops.bind_address=127.0.0.1:0"];
    let arguments = ["--config", config.to_str().unwrap(), "--structured-logging", "--hot-reload"];
    let mira = Mira::start_with(&[&arguments[..], &free].concat(), &[("MIRA_LOG_FILE", log)]);
    assert_eq!(get(&mira.app(), "/health").json()["status"], "healthy");
    let lines = mira.stop();
    let file = std::fs::read_to_string(log).unwrap();
    assert_eq!(file.lines().count(), lines.len(), "the file has every line");

    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let unwritable = blocked.join("app.log");
    let arguments = [config.to_str().unwrap()];
    let mira = Mira::start_with(
        &[&arguments[..], &free].concat(),
        &[("MIRA_LOG_FILE", unwritable.to_str().unwrap())],
    );
    let health = get(&mira.app(), "/health").json();
    assert_eq!(
        (&health["status"], &health["checks"]["log"]["status"]),
        (&"degraded".into(), &"degraded".into())
    );
    mira.wait_for("warning", |line| line["path"] == unwritable.to_str().unwrap());
    mira.stop();
}

/// SEC-1, CFG-10: references of the guide, by the environment backend; intervals are numbers of
/// seconds or texts.
#[test]
fn the_guides_references_are_resolved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(
        &path,
        r#"{"secrets": {"backend": "env", "auto_refresh": true, "refresh_interval": 3600},
            "config": {"poll_interval": "5s"},
            "integrations": {"github": {"token": "secret://github-credentials:token"},
                             "jira": {"username": "secret://JIRA_USER", "api_token": "secret://jira-credentials:api_token"}}}"#,
    )
    .unwrap();
    let config = ["--config", path.to_str().unwrap()];
    let variables = [
        ("GITHUB_CREDENTIALS_TOKEN", "canary-1"),
        ("JIRA_USER", "canary-2"),
        ("JIRA_CREDENTIALS_API_TOKEN", "canary-3"),
    ];
    let mira = Mira::start_with(&config, &variables);
    let shown = crate::client::send(
        &{
            mira.app();
            mira.ops()
        },
        "GET",
        "/ops/config",
        &[("authorization", &format!("Bearer {TOKEN}"))],
        "",
    );
    assert!(shown.body.contains("secret://jira-credentials:api_token"), "{}", shown.body);
    assert!(!shown.body.contains("canary"));
    mira.stop();

    let (code, _, stderr) = output(command(&config).envs(variables[..2].iter().copied()));
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("integrations.jira.api_token: secret://jira-credentials:api_token"),
        "{stderr}"
    );
    assert!(stderr.contains("JIRA_CREDENTIALS_API_TOKEN"), "{stderr}");
}
