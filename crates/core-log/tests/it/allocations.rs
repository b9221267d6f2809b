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
