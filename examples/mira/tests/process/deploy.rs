//! What `deploy` has for docker compose, against what Mira says of itself.

use serde_json::Value;

use crate::client::{get, post};
use crate::mira::{Mira, command, output};

const COMPOSE: &str = include_str!("../../../../deploy/compose.yaml");
const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/config/config.json");
const DASHBOARD: &str = include_str!("../../../../deploy/grafana/dashboards/mira.json");

/// The time that the compose file gives to stop, and the one that Mira asks for with some settings.
fn grace(compose: &str, settings: &[&str]) -> (String, String) {
    let value = |text: &str, key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
        line.expect("the key is there").trim().to_owned()
    };
    let arguments = [&["--config", CONFIG, "--print-pod"], settings].concat();
    let (code, pod, _) = output(&mut command(&arguments));
    assert_eq!(code, Some(0), "{pod}");
    let asked = value(&pod, "terminationGracePeriodSeconds:");
    (value(compose, "stop_grace_period:"), format!("{asked}s"))
}

/// STOP-2: the compose file gives Mira as long to stop as Mira's own settings say, and a change of one
/// alone is seen.
#[test]
fn compose_gives_the_time_that_the_settings_need() {
    let (given, asked) = grace(COMPOSE, &[]);
    assert_eq!(given, asked);
    let (given, asked) = grace(COMPOSE, &["--set", "server.grace_period=60s"]);
    assert_ne!(given, asked);
}

/// MET-1: every metric that the dashboard shows is one that Mira exposes.
#[test]
fn the_dashboard_shows_metrics_that_exist() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mira = Mira::start(&[]);
    // Some are there once there is something to tell.
    let brief = r#"{"message_type": "assess_risks", "data": {"name": "a", "goals": ["grow"], "duration_weeks": 2}}"#;
    assert_eq!(post(&mira.app(), "/api/messages", brief).status, 200);
    let exposed = get(&mira.ops(), "/metrics").body;
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let mut seen = 0;
    for expression in targets.map(|target| target["expr"].as_str().unwrap()) {
        let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        // What is neither a function nor a label.
        for name in words.filter(|word| word.matches('_').count() > 1) {
            let family = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(exposed.contains(&format!("# TYPE {family} ")), "no {family} in\n{exposed}");
            seen += 1;
        }
    }
    assert!(seen > 7, "only {seen} metrics were looked at");
}
