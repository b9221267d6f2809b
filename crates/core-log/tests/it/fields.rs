use std::io;

use core_log::{Config, Record};
use core_types::{ByteSize, Scope};
use proptest::prelude::*;
use serde_json::json;
use tracing::{Level, info, info_span};

use crate::output::{line_of, lines_of};

/// LOG-2: the members of a line, and their order.
#[test]
fn members_stand_in_their_order() {
    let text = crate::output::text_of(
        &Config::default(),
        core_log::Options::new().with_terminal(false),
        |_| info!(target: "mira::app", count = 3_u64, "Processing message"),
    );
    let names: Vec<&str> = text.split('"').skip(1).step_by(4).take(4).collect();
    assert_eq!(names, ["timestamp", "level", "logger", "message"]);
    let line = crate::output::strict(text.trim_end());
    let time = line["timestamp"].as_str().unwrap();
    assert_eq!((time.len(), &time[10..11], &time[26..]), (27, "T", "Z"));
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["logger"], "mira::app");
    assert_eq!(line["message"], "Processing message");
    assert_eq!(line["module"], "it::fields");
    assert!(line["file"].as_str().unwrap().ends_with("fields.rs"));
    assert!(line["line"].is_u64());
    assert!(line["thread"].as_str().unwrap().contains("members_stand_in_their_order"));
    assert!(!line.contains_key("function"));
    assert_eq!(line["count"], 3);
}

/// LOG-2: fields keep their types; what JSON cannot say becomes a text.
#[test]
fn types_are_kept() {
    let line = line_of(|| {
        info!(
            text = "a\"b\n\0\u{1b}",
            small = -1_i64,
            big = u64::MAX,
            wide = u128::MAX,
            half = 0.5_f64,
            not_a_number = f64::NAN,
            endless = f64::NEG_INFINITY,
            truth = true,
            bytes = &b"\xff\n"[..],
            debug = ?Some(1),
            display = %"shown",
            "types"
        );
    });
    assert_eq!(line["text"], "a\"b\n\0\u{1b}");
    assert_eq!(line["small"], -1);
    assert_eq!(line["big"], u64::MAX);
    assert_eq!(line["wide"], u128::MAX.to_string());
    assert_eq!(line["half"], 0.5);
    assert_eq!(line["not_a_number"], "NaN");
    assert_eq!(line["endless"], "-Infinity");
    assert_eq!(line["truth"], true);
    assert_eq!(line["bytes"], "\u{fffd}\n");
    assert_eq!(line["debug"], "Some(1)");
    assert_eq!(line["display"], "shown");
}

/// LOG-2: an error stands with all its causes.
#[test]
fn an_error_has_its_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("cannot save")]
    struct Outer(#[source] io::Error);
    let error = Outer(io::Error::other("disk full"));
    let line = line_of(|| info!(error = &error as &dyn std::error::Error, "failed"));
    assert_eq!(line["error"], "cannot save: disk full");
}

/// LOG-2: span fields are flattened, the nearest wins, a later value replaces the earlier one.
#[test]
fn span_fields_are_flattened() {
    let line = line_of(|| {
        let outer = info_span!("outer", a = 1, b = 1, c = tracing::field::Empty).entered();
        outer.record("c", 3);
        outer.record("a", 9);
        let _inner = info_span!("inner", b = 2, d = 2).entered();
        info!(d = 4, "event");
    });
    assert_eq!(line["a"], 9);
    assert_eq!(line["b"], 2);
    assert_eq!(line["c"], 3);
    assert_eq!(line["d"], 4);
    assert_eq!(line["function"], "inner");
}

/// LOG-2: the scope comes first, then the spans from the outermost, then the event.
#[test]
fn fields_stand_in_their_order() {
    let text = crate::output::text_of(&Config::default(), core_log::Options::new(), |_| {
        Scope::root().with_field("a", "").run(|| {
            let _outer = info_span!("outer", b = 1).entered();
            let _inner = info_span!("inner", c = 1).entered();
            info!(d = 1, "event");
        });
    });
    let places =
        ["correlation_id", "a", "b", "c", "d"].map(|name| text.find(&format!("\"{name}\":")));
    assert!(places.is_sorted() && places[0].is_some(), "{text}");
}

/// LOG-2: a field named like a member of the line is renamed, the same way every time.
#[test]
fn collisions_are_renamed() {
    let line = line_of(|| {
        let _span = info_span!("span", level = "high", message = "m", thread = 1).entered();
        info!(timestamp = 1, thread = 2, "field.timestamp" = 3, "event");
    });
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["field.level"], "high");
    assert_eq!(line["field.message"], "m");
    assert_eq!(line["message"], "event");
    assert_eq!(line["field.timestamp"], 1);
    assert_eq!(line["field.field.timestamp"], 3);
    assert_eq!(line["field.thread"], 2);
}

/// LOG-2: what a name becomes does not depend on what else stands on the line.
#[test]
fn renaming_depends_on_the_name_alone() {
    let lines = lines_of(&Config::default(), |_| {
        info!(level = 1, parent_span_id = 2, "alone");
        Scope::root().with_field("field.level", "scope").with_field("agent_id", "field").run(
            || {
                info!(level = 1, parent_span_id = 2, "in a scope");
            },
        );
        Scope::root().with_agent_id("own").with_field("agent_id", "field").run(|| info!("twice"));
    });
    for line in &lines[..2] {
        assert_eq!((&line["field.level"], &line["field.parent_span_id"]), (&json!(1), &json!(2)));
    }
    assert_eq!(lines[1]["field.field.level"], "scope");
    assert_eq!((&lines[1]["agent_id"], &lines[2]["agent_id"]), (&json!("field"), &json!("own")));
}

/// LOG-2: fields that only look like the bridge's are kept.
#[test]
fn fields_of_any_name_are_kept() {
    let line = line_of(|| info!(log.level = "x", log.target = "y", target = "z", "m"));
    assert_eq!(line["log.level"], "x");
    assert_eq!(line["log.target"], "y");
    assert_eq!(line["target"], "z");
}

/// LOG-1: a value that logs or panics while it is printed takes nothing else with it.
#[test]
fn a_value_may_log_and_panic() {
    struct Chatty;
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info!("inside");
            f.write_str("chatty")
        }
    }
    struct Bad;
    impl std::fmt::Debug for Bad {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("on purpose")
        }
    }
    let lines = lines_of(&Config::default(), |_| {
        let span = info_span!("span", x = tracing::field::Empty).entered();
        let record = |value: &dyn tracing::Value| {
            span.record("x", value);
        };
        record(&tracing::field::debug(Chatty));
        let catch = |work: &dyn Fn()| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
        };
        catch(&|| record(&tracing::field::debug(Bad)));
        catch(&|| info!(x = ?Bad, "lost"));
        info!(y = ?Chatty, "after");
    });
    let seen: Vec<&str> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    // While an event is under way, `tracing` lets no other through to a log of one thread.
    assert_eq!(seen, ["inside", "after"]);
    assert_eq!((&lines[1]["x"], &lines[1]["y"]), (&json!("chatty"), &json!("chatty")));
}

/// LOG-2: `function` is the innermost instrumented one.
#[test]
fn the_function_is_the_innermost_instrumented() {
    #[tracing::instrument]
    fn plan(goal: &str) {
        info!("planning");
    }
    let line = line_of(|| plan("g"));
    assert_eq!(line["function"], "plan");
    assert_eq!(line["goal"], "g");
}

/// LOG-1: a value of any length is cut, and marked as cut.
#[test]
fn a_long_value_is_cut_and_marked() {
    let long = "é".repeat(1 << 19);
    let mut config = Config::default();
    config.max_value = ByteSize::from_bytes(101);
    let lines = lines_of(&config, |_| {
        info!(text = long, debug = ?long, display = %long, "{long}");
        let _span = info_span!("span", in_span = long).entered();
        info!("short");
    });
    let expected = format!("{}…[cut, 1048576 bytes in all]", "é".repeat(50));
    for value in
        [&lines[0]["text"], &lines[0]["display"], &lines[0]["message"], &lines[1]["in_span"]]
    {
        assert_eq!(*value, expected);
    }
    assert!(lines[0]["debug"].as_str().unwrap().ends_with("…[cut, 1048578 bytes in all]"));
}

/// LOG-1: so are a scope's fields, and the message and the texts of a record.
#[test]
fn every_text_is_cut() {
    let long = "x".repeat(1000);
    let mut config = Config::default();
    config.max_value = ByteSize::from_bytes(1);
    let lines = lines_of(&config, |logging| {
        Scope::root().with_field("long", long.as_str()).run(|| info!("event"));
        logging.write(Record::new(Level::INFO, "x", long.as_str()).with_text("long", &long));
    });
    // Of no text, less than 64 bytes are kept.
    let expected = format!("{}…[cut, 1000 bytes in all]", "x".repeat(64));
    for value in [&lines[0]["long"], &lines[1]["long"], &lines[1]["message"]] {
        assert_eq!(*value, expected);
    }
}

/// A record carries lists, and is written at every level.
#[test]
fn a_record_is_always_written() {
    let mut config = Config::default();
    config.level = "off".parse().unwrap();
    let lines = lines_of(&config, |logging| {
        info!("not written");
        let record = Record::new(Level::INFO, "app", "stopped").with_number("duration_ms", 12);
        logging.write(record.with_json("steps", r#"[{"name":"drain"}]"#));
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message"], "stopped");
    assert_eq!(lines[0]["duration_ms"], 12);
    assert_eq!(lines[0]["steps"], json!([{"name": "drain"}]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// LOG-1: whatever is logged, each line is one object with unique keys.
    #[test]
    fn every_line_is_one_object(
        message: String,
        text: String,
        bytes: Vec<u8>,
        number: f64,
        names in proptest::collection::vec("(level|a|message|correlation_id|field\\.a|trace_id|\\PC{1,3})", 0..6),
    ) {
        let lines = lines_of(&Config::default(), |logging| {
            let scope = names.iter().fold(core_types::Scope::root(), |scope, name| {
                scope.with_field(name.as_str(), text.as_str())
            });
            let scope = scope.with_trace(core_types::TraceContext::root());
            scope.run(|| {
                let _outer = info_span!("outer", a = text, level = 1, trace_id = 2).entered();
                let _inner = info_span!("inner", a = 1, correlation_id = text).entered();
                info!(a = text, bytes = bytes.as_slice(), number, "field.a" = 1, level = 2, "{message}");
                let record = Record::new(Level::WARN, text.clone(), message.clone());
                logging.write(names.iter().fold(record, |record, name| {
                    record.with_text(name.clone(), &text)
                }));
            });
        });
        prop_assert_eq!(lines.len(), 2);
        prop_assert_eq!(&lines[0]["message"], &message);
        prop_assert_eq!(&lines[0]["a"], &text);
    }
}
