use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// CFG-6: edits under load, good and bad, cost no request.
#[test]
fn edits_under_load_cost_no_request() {
    /// Between two edits, so many requests are answered at least.
    const REQUESTS: u64 = 50;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    write("{}");
    let mira = Mira::start(&[path.to_str().unwrap(), "--hot-reload"]);
    let (app, ops) = (mira.app(), mira.ops());
    let (is_over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|threads| {
        let load = || {
            while !is_over.load(Ordering::Relaxed) {
                assert_eq!(post(&app, "/api/messages", MESSAGE).status, 200);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients = [threads.spawn(load), threads.spawn(load)];
        let _over = Over(&is_over);
        let outcomes = |refused: u32, applied: u32| {
            let before = answered.load(Ordering::Relaxed);
            let deadline = Instant::now() + Duration::from_secs(10);
            let is_seen = || {
                let metrics = get(&ops, "/metrics").body;
                let has = |outcome, count: u32| {
                    let series = format!("config_reloads_total{{outcome=\"{outcome}\"}} {count}\n");
                    metrics.contains(&series)
                };
                has("refused", refused) && has("applied", applied)
            };
            while !is_seen() || answered.load(Ordering::Relaxed) < before + REQUESTS {
                assert!(Instant::now() < deadline, "{refused} refused, {applied} applied");
                assert!(clients.iter().all(|client| !client.is_finished()), "a request was lost");
            }
        };
        for round in 0..2 {
            // Not even JSON; a wrong type; a rule that is broken; and a good one.
            write("{\"http\": ");
            outcomes(3 * round + 1, round);
            write(r#"{"http": {"max_in_flight": "many"}}"#);
            outcomes(3 * round + 2, round);
            write(r#"{"server": {"shutdown_timeout": "1s"}}"#);
            outcomes(3 * round + 3, round);
            write(&format!(r#"{{"http": {{"body_limit": "{}MiB"}}}}"#, round + 1));
            outcomes(3 * round + 3, round + 1);
        }
    });
    mira.stop();
}

/// Ends a load, though the test fails meanwhile.
pub(crate) struct Over<'a>(pub(crate) &'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
