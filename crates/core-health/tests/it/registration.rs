//! What is refused, and with which words.

use core_health::{CheckOptions, Config, Error, Health, Report};
use core_types::Duration;

use crate::{health, seconds};

#[test]
fn names_are_what_fits_a_path() {
    let health = health();
    for good in ["a", "9", "a_b.c-d", "healthz", "-", "...", &"x".repeat(64)] {
        health.check(good, async || Report::healthy()).unwrap();
    }
    let long = "x".repeat(65);
    let bad = ["", "A", "a b", "a/b", "é", "a,b", "live", "ready", "startup", ".", "..", &long];
    for bad in bad {
        let refused = Error::Name { name: bad.into() };
        assert_eq!(health.check(bad, async || Report::healthy()), Err(refused.clone()));
        assert_eq!(health.component(bad).unwrap_err(), refused);
        assert_eq!(health.latch(bad).unwrap_err(), refused);
        assert_eq!(health.heartbeat(bad, seconds(1)).unwrap_err(), refused);
    }
}

#[test]
fn a_name_is_given_once() {
    let health = health();
    let first = health.component("broker").unwrap();
    for taken in ["broker", "shutdown"] {
        let refused = Error::Duplicate { name: taken.into() };
        assert_eq!(health.check(taken, async || Report::healthy()), Err(refused.clone()));
        assert_eq!(health.component(taken).unwrap_err(), refused);
        assert_eq!(health.latch(taken).unwrap_err(), refused);
        assert_eq!(health.clone().heartbeat(taken, seconds(1)).unwrap_err(), refused);
    }
    drop(first);
    assert!(health.component("broker").is_err(), "what failed is not forgotten by its name");
}

#[test]
fn timing_that_cannot_be_kept_is_refused() {
    let refusal = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        Health::new(config, "1.2.3").map_err(|error| error.to_string()).err()
    };
    let second = Duration::from_secs(1);
    assert_eq!(refusal(|_| {}), None);
    assert_eq!(refusal(|c| c.time_to_live = Some(Duration::from_secs(13))), None);
    assert_eq!(refusal(|c| c.timeout = c.interval), None);
    let interval = "check interval must be 1ms to 24h, not ";
    assert_eq!(refusal(|c| c.interval = Duration::default()), Some(format!("{interval}0s")));
    assert_eq!(
        refusal(|c| c.interval = Duration::from_secs(86_401)),
        Some(format!("{interval}1day 1s"))
    );
    let timeout = "check timeout must be above zero and at most the interval of 10s, not ";
    assert_eq!(refusal(|c| c.timeout = Duration::default()), Some(format!("{timeout}0s")));
    assert_eq!(refusal(|c| c.timeout = Duration::from_secs(11)), Some(format!("{timeout}11s")));
    assert_eq!(
        refusal(|c| c.time_to_live = Some(Duration::from_secs(12))),
        Some("time to live must be at least interval plus timeout, 13s, not 12s".into())
    );
    assert_eq!(refusal(|c| c.rise = 0), Some("`rise` must be at least 1".into()));
    assert_eq!(refusal(|c| c.fall = 0), Some("`fall` must be at least 1".into()));

    let health = health();
    let check = |options| health.check_with("check", options, async || Report::healthy());
    let refused = check(CheckOptions::new().interval(second));
    let timeout = Duration::from_secs(3);
    assert_eq!(refused, Err(Error::Timeout { timeout, interval: second }));
    assert_eq!(check(CheckOptions::new().fall(0)), Err(Error::Count { setting: "fall" }));
    assert_eq!(
        health.heartbeat("beat", Duration::default()).unwrap_err(),
        Error::Limit { name: "beat".into() }
    );
    check(CheckOptions::new().interval(second).timeout(second).time_to_live(seconds(9)).rise(3))
        .unwrap();
}
