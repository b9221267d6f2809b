use core_log::{Config, operation};
use serde_json::{Map, Value};

use crate::output::lines_of;

fn verbose(work: impl FnOnce()) -> Vec<Map<String, Value>> {
    let mut config = Config::default();
    config.level = "debug".parse().unwrap();
    lines_of(&config, |_| work())
}

/// LOG-2, LOG-3: an operation ends with one line that names it, tells how long it took, and where
/// it stands in its trace.
#[test]
fn an_operation_is_one_line_at_its_end() {
    let lines = verbose(|| {
        let merge = operation!("crdt_merge", set_size = 10_u64);
        merge.record_event("merge started");
        merge.run(|| tracing::info!("inside"));
        merge.complete();
    });
    let seen: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(seen, ["merge started", "inside", "operation completed"]);
    for line in &lines {
        assert_eq!((&line["operation"], &line["set_size"]), (&"crdt_merge".into(), &10.into()));
        assert_eq!(
            (&line["span_id"], &line["trace_id"]),
            (&lines[0]["span_id"], &lines[0]["trace_id"])
        );
        assert!(line["file"].as_str().unwrap().ends_with("operation.rs"));
        assert!(!line.contains_key("function"), "an operation is no function");
    }
    assert_eq!((&lines[0]["level"], &lines[2]["level"]), (&"DEBUG".into(), &"INFO".into()));
    assert_eq!(lines[2]["outcome"], "completed");
    assert!(lines[2]["duration_ms"].as_f64().unwrap() >= lines[0]["duration_ms"].as_f64().unwrap());
}

/// LOG-2: an operation that fails says why, and one that nobody ended says so too.
#[test]
fn an_operation_that_is_not_completed_says_so() {
    let lines = verbose(|| {
        operation!("write").fail("disk full");
        let result: Result<(), ()> = (|| {
            let _read = operation!("read",);
            Err(())?;
            Ok(())
        })();
        assert!(result.is_err());
    });
    let told = |line: usize| (lines[line]["level"].clone(), lines[line]["outcome"].clone());
    assert_eq!(told(0), ("ERROR".into(), "failed".into()));
    assert_eq!(lines[0]["error"], "disk full");
    assert_eq!(told(1), ("WARN".into(), "abandoned".into()));
    assert_eq!(lines.len(), 2);
}
