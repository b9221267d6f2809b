use std::time::{Duration, Instant};

use core_log::{Config, Level, Logging, Options};
use tracing::{debug, info, trace};

use crate::output::{SOON, booting, lines_of, strict};

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

fn wait_for(is_done: impl Fn() -> bool) {
    let end = Instant::now() + SOON;
    while !is_done() {
        assert!(Instant::now() < end, "a change lasts");
        std::thread::yield_now();
    }
}

/// LOG-4: of changes that overlap, each one ends at its own time, also after a pause.
#[test]
fn every_change_by_hand_ends() {
    lines_of(&config("info"), |logging| {
        let set = |target: &str, lasts| {
            logging.set_level(Some(target), Level::DEBUG, lasts).unwrap();
        };
        let lasts = |logging: &Logging| {
            logging.levels().iter().filter(|status| status.expires_in.is_some()).count()
        };
        for _ in 0..3 {
            for micros in 0..20 {
                set(&micros.to_string(), Duration::from_micros(200 - 7 * micros));
            }
            wait_for(|| lasts(logging) == 0);
        }
        set("long", Duration::from_secs(3600));
        set("short", Duration::from_millis(1));
        wait_for(|| lasts(logging) == 1);
    });
}

/// LOG-1, LOG-4: where the log is one layer of several, third parties' records keep its levels, and
/// asking for one costs no other line.
#[test]
fn records_of_third_parties_have_levels() {
    use tracing_log::log::{Level as Third, Log as _, Metadata, Record};
    let lines = lines_of(&config("info,foo=debug,log=warn"), |_| {
        let report = |target: &str, level: Third| {
            let metadata = Metadata::builder().target(target).level(level).build();
            let is_on = tracing_log::LogTracer::new().enabled(&metadata);
            let args = format_args!("{target}");
            let record = Record::builder().metadata(metadata).args(args).build();
            tracing_log::format_trace(&record).unwrap();
            is_on
        };
        report("bar", Third::Debug);
        info!("next");
        report("bar", Third::Info);
        report("foo", Third::Debug);
        report("log", Third::Info);
    });
    let seen: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(seen, ["next", "bar", "foo"]);
}

/// LOG-1: early lines wait for their level; of too many the last are kept, the others counted.
#[test]
fn early_lines_wait_for_their_level() {
    let text = booting(Options::new(), |logging| {
        debug!("too early");
        debug!("too early");
        (0..999).for_each(|number| trace!(number, "too detailed"));
        (0..998).for_each(|number| debug!(number, "early"));
        info!(target: "quiet", "not at this level");
        logging.write(core_log::Record::new(tracing::Level::INFO, "quiet", "always"));
        info!(target: "quiet", "not at this level");
        logging.configure(&config("debug,quiet=off"));
    });
    let lines: Vec<_> = text.lines().map(strict).collect();
    assert_eq!((&lines[0]["message"], &lines[0]["number"]), (&"early".into(), &1.into()));
    let last: Vec<_> = lines[997..].iter().map(|line| &line["message"]).collect();
    assert_eq!(last, ["always", "log lines were dropped"]);
    assert_eq!((&lines[998]["lines"], &lines[998]["reason"]), (&3.into(), &"too_early".into()));
}
