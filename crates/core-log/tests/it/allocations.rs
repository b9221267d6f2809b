use core_log::{Config, Options};
use core_types::Scope;
use tracing::{debug, info, info_span};

use crate::output::{SOON, text_of};

/// LOG-11: once its buffers have grown, an event allocates nothing, with correlation, redaction and
/// a level filter on; nor does one that is not written.
#[test]
fn an_event_allocates_nothing() {
    let mut config = Config::default();
    config.level = "info,other=warn".parse().unwrap();
    config.redact = vec!["ssn".into()];
    text_of(&config, Options::new(), |logging| {
        logging.scrub(&["canary-of-the-database".into()]);
        let _scope = Scope::root().with_agent_id("planner").with_field("tenant", "blue").enter();
        let _outer = info_span!("outer", password = "x", tenant = "red").entered();
        let _inner = info_span!("inner", count = 3).entered();
        let event = || {
            info!(
                attempt = 3,
                ratio = 0.1,
                big = 1e300,
                level = 1,
                ssn = "x",
                text = "\"",
                "a {}",
                1
            );
            debug!(attempt = 3, "not at this level");
            info!(target: "other", "nor this");
        };
        // The queue's two buffers have grown when what is written goes from one to the other.
        for _ in 0..20 {
            (0..20).for_each(|_| event());
            assert!(logging.flush(SOON));
        }
        let allocated = allocation_counter::measure(|| (0..10).for_each(|_| event()));
        assert_eq!(allocated.count_total, 0, "{allocated:?}");
        assert_ne!(allocation_counter::measure(|| drop(String::from("x"))).count_total, 0);
    });
}

/// LOG-11: nor does a record of the `log` crate, nor an event that its place's limit suppresses.
#[test]
fn a_bridged_record_allocates_nothing() {
    let mut config = Config::default();
    config.max_per_callsite = 30;
    text_of(&config, Options::new(), |logging| {
        let record = |line: u32| {
            let mut record = log::Record::builder();
            let record =
                record.target("third::party").file(Some("third/party.rs")).line(Some(line));
            let record = record.module_path(Some("third::party")).level(log::Level::Info);
            tracing_log::format_trace(&record.args(format_args!("{line} lines")).build()).unwrap();
        };
        for _ in 0..20 {
            (1..100).for_each(record);
            assert!(logging.flush(SOON));
        }
        let allocated = allocation_counter::measure(|| (1..100).for_each(record));
        assert_eq!(allocated.count_total, 0, "{allocated:?}");
        // The first one that is suppressed starts the thread that will tell.
        let flood = |lines| (0..lines).for_each(|_| record(7));
        flood(100);
        assert!(logging.flush(SOON));
        let allocated = allocation_counter::measure(|| flood(100));
        assert_eq!(allocated.count_total, 0, "{allocated:?}");
    });
}
