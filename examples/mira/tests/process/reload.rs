use std::time::{Duration, Instant};

use crate::client::{get, post};
use crate::mira::Mira;

const MESSAGE: &str = r#"{"message_type": "generate_plan", "data": {"name": "Launch"}}"#;

/// CFG-6: an edit changes the level within two seconds; a broken one is refused with every reason
/// and the old one stays; the next good one applies.
#[test]
fn an_edit_changes_the_level() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let write = |level: &str| {
        std::fs::write(&path, format!(r#"{{"logging": {{"level": "{level}"}}}}"#)).unwrap();
    };
    write("info");
    let mira = Mira::start(&[path.to_str().unwrap(), "--hot-reload"]);
    let app = mira.app();
    post(&app, "/api/messages", MESSAGE);
    assert!(!mira.text().contains("\"level\":\"DEBUG\""));

    let began = Instant::now();
    write("debug");
    mira.wait_for_message("Configuration reloaded successfully");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    post(&app, "/api/messages", MESSAGE);
    mira.wait_for("debug line", |line| line["level"] == "DEBUG");

    std::fs::write(&path, r#"{"logging": {"level": "loud"}, "brokr": 1}"#).unwrap();
    let refused = mira.wait_for_message("Configuration reload refused, the old one stays");
    let reasons = refused["reasons"].as_str().unwrap();
    assert!(
        reasons.contains("config.json:1:23: logging.level: expected a level such as"),
        "{reasons}"
    );
    assert!(reasons.contains("brokr: unknown key; did you mean `broker`?"), "{reasons}");
    let successful =
        || get(&mira.ops(), "/metrics").body.contains("config_last_reload_successful 1\n");
    assert!(!successful());
    assert_eq!(post(&app, "/api/messages", MESSAGE).status, 200);
    write("warn");
    let deadline = Instant::now() + Duration::from_secs(2);
    while !successful() {
        assert!(Instant::now() < deadline, "the next good edit does not apply");
    }
    // At that level the report of the stop is written all the same.
    mira.stop();
}
