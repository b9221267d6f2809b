use std::time::{Duration, Instant};

use core_log::{Config, Level};
use tracing::{debug, info, trace};

use crate::output::{SOON, lines_of};

fn config(levels: &str) -> Config {
    let mut config = Config::default();
    config.level = levels.parse().unwrap();
    config
}

fn everything() {
    debug!(target: "app::db", "debug");
    info!(target: "app::db", "info");
    info!(target: "other", "other");
}

/// LOG-4: levels by target; a change counts at once, also for call sites that were seen before.
#[test]
fn levels_change_at_run_time() {
    let lines = lines_of(&config("warn,app=info"), |logging| {
        everything();
        logging.configure(&config("info,app::db=debug"));
        everything();
        logging.configure(&config("off"));
        everything();
    });
    let seen: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(seen, ["info", "debug", "info", "other"]);
}

/// LOG-4: a change made by hand ends by itself, and says so.
#[test]
fn a_change_by_hand_reverts() {
    let lines = lines_of(&config("info"), |logging| {
        logging.set_level(Some("app"), Level::TRACE, Duration::from_secs(3600)).unwrap();
        trace!(target: "app", "seen");
        assert!(logging.reset_level(Some("app")));
        trace!(target: "app", "unseen");
        logging.set_level(None, Level::DEBUG, Duration::from_millis(1)).unwrap();
        let deadline = Instant::now() + SOON;
        while logging.levels()[0].effective != Level::INFO {
            assert!(Instant::now() < deadline, "the change lasts");
            std::thread::yield_now();
        }
        debug!(target: "app", "unseen");
        // The thread that reverts has the last word before the end.
        assert!(logging.flush(SOON));
    });
    let seen: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(seen, ["seen", "log level reverted"]);
    assert_eq!(lines[1]["target"], "all");
    assert_eq!(lines[1]["to"], "INFO");
}
