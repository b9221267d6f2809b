//! Very many lines of every kind, by the rules of everybody who reads them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use core_log::{Config, Logging, Options, Record};
use core_types::{ByteSize, Scope, TraceContext};
use serde_json::{Map, Value};
use tracing::{error, info, info_span, warn};

use crate::SOON;
use crate::strict::strict;

type Object = Map<String, Value>;
type Schema = (&'static str, usize, fn(&Object));

/// How many lines are written by whose rules, and what these are.
pub(crate) const SCHEMAS: [Schema; 5] = [
    ("mira", 100_000, mira),
    ("ecs", 10_000, ecs),
    ("opentelemetry", 10_000, opentelemetry),
    ("google_cloud", 10_000, google_cloud),
    ("datadog", 10_000, datadog),
];

const HOSTILE: [&str; 14] = [
    "",
    "\"",
    "\\",
    "a\nb\r\n{\"level\":\"ERROR\"}",
    "\0\u{1}\u{1b}[31m\u{7f}\u{85}\u{2028}",
    "é😀\u{fffd}\u{202e}",
    "},{",
    "\\u0000",
    "null",
    "123456789012345678901234567890",
    "-1e999",
    "canary-of-the-corpus",
    "password=canary",
    "…[cut, 1 bytes in all]",
];

/// Numbers that look like any, and are the same every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn text(&mut self) -> String {
        let pick = |number: u64| HOSTILE[usize::try_from(number % 14).unwrap()];
        let mut text = pick(self.next()).to_owned();
        for _ in 0..self.next() % 3 {
            text += pick(self.next());
        }
        if self.next().is_multiple_of(500) {
            text = text.repeat(500);
        }
        text
    }
}

/// The child: early lines, lines of every kind, a last one.
pub(crate) fn write(schema: &str) {
    let options = Options::new().with_service("corpus", "1.2.3");
    let logging = Logging::install(options).unwrap();
    info!("early");
    log::warn!(target: "early::record", "early\n\"record\"");
    let mut config = Config::default();
    config.buffer = ByteSize::from_mebibytes(64);
    config.max_value = ByteSize::from_bytes(1000);
    let (_, lines, _) = SCHEMAS.iter().find(|(name, ..)| *name == schema).unwrap();
    config.schema = match schema {
        "ecs" => core_log::Schema::Ecs,
        "opentelemetry" => core_log::Schema::Opentelemetry,
        "google_cloud" => core_log::Schema::GoogleCloud,
        "datadog" => core_log::Schema::Datadog,
        _ => core_log::Schema::Mira,
    };
    config.google_cloud_project = Some("corpus-1".into());
    logging.configure(&config);
    logging.scrub(&["canary-of-the-corpus".into()]);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for number in 3..*lines {
        let [a, b] = [dice.text(), dice.text()];
        let scope = Scope::root().with_user_id(a.as_str()).with_field(b.as_str(), a.as_str());
        let scope = if number % 2 == 0 { scope } else { scope.with_trace(TraceContext::root()) };
        scope.run(|| event(&mut dice, &logging, &a, &b));
        if number % 2000 == 0 {
            assert!(logging.flush(SOON));
        }
    }
    assert!(logging.close_with(&Record::new(tracing::Level::INFO, "app", "stopped"), SOON));
}

/// One line, of a kind that is drawn.
fn event(dice: &mut Dice, logging: &Logging, a: &str, b: &str) {
    let number = dice.next();
    #[expect(clippy::cast_possible_wrap, reason = "any number will do")]
    let signed = number as i64;
    match number % 12 {
        0 => info!(text = a, other = ?b, "{a}"),
        1 => info!(signed, number, wide = u128::from(number) << 64, small = -1_i128, a),
        2 => warn!(float = f64::from_bits(number), nan = f64::NAN, end = f64::NEG_INFINITY),
        // Names that the line, a scope, a span or another schema has as well.
        3 => error!(
            level = a,
            timestamp = b,
            message.text = a,
            user_id = number,
            "log.level" = b,
            severity = a
        ),
        4 => info!(
            status = a,
            service = b,
            host = a,
            time = b,
            "field.level" = a,
            error = b,
            labels = a,
            "a.b" = 1,
            a_b = 2
        ),
        5 => info_span!("outer", text = a, same = 1).in_scope(|| {
            info_span!("inner", same = b, level = 2).in_scope(|| info!(same = a, "nested"));
        }),
        6 => {
            let span = info_span!("late", later = tracing::field::Empty, text = a);
            span.record("later", b);
            span.in_scope(|| info!(password = a, flag = true, "spanned"));
        }
        7 => log::info!(target: "a record", "{a}{b}"),
        8 => log::error!("{b}"),
        9 => logging.write(
            Record::new(tracing::Level::INFO, a.to_owned(), b)
                .with_text(a.to_owned(), b)
                .with_text(b.to_owned(), a)
                .with_json("list", r#"[{"password":1,"x":[null,true,-1.5e3,"\u0000"]},{}]"#),
        ),
        10 if number % 5000 == 10 => {
            let message = a.to_owned();
            let thread = std::thread::Builder::new().name(b.replace('\0', ""));
            assert!(thread.spawn(move || panic!("{message}")).unwrap().join().is_err());
        }
        10 => core_log::operation!("operate", text = a).fail(b),
        _ => info!(bytes = b"\xff\xfe\0".as_slice(), unit = ?(), list = ?[a, b], "{}", a),
    }
}

/// LOG-1, LOG-2: every line is one object with unique keys, as the rules of its reader have it.
pub(crate) fn read(name: &str, lines: usize, check: fn(&Object)) {
    let program = std::env::current_exe().unwrap();
    let mut child = Command::new(program)
        .arg(format!("corpus {name}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut seen = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        assert!(!line.contains("canary-of"), "{line}");
        assert!(!line.contains(|c: char| c.is_ascii_control()), "{line}");
        let object = strict(&line);
        check(&object);
        seen += 1;
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(seen, lines);
}

#[track_caller]
fn text<'a>(object: &'a Object, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("{name} of {object:?}"))
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[track_caller]
fn check_ids(object: &Object, trace: &str, span: &str) {
    if let Some(id) = object.get(trace) {
        assert!(is_hex(id.as_str().unwrap(), 32) && is_hex(text(object, span), 16), "{object:?}");
    }
}

fn is_moment(text: &str) -> bool {
    text.len() == "2026-01-15T10:30:45.123456Z".len() && text.ends_with('Z')
}

fn mira(object: &Object) {
    let names: Vec<&String> = object.keys().collect();
    assert!(names.len() >= 5, "{object:?}");
    assert!(is_moment(text(object, "timestamp")));
    assert!(["ERROR", "WARN", "INFO"].contains(&text(object, "level")));
    let _ = (text(object, "logger"), text(object, "message"), text(object, "thread"));
    check_ids(object, "trace_id", "span_id");
}

/// `spec/spec.json` of <https://github.com/elastic/ecs-logging> says what must be there and that
/// `log.level` is no table; names and types of the others are those of
/// <https://elastic.co/docs/reference/ecs/ecs-log>, `ecs-tracing` (which has no parent), `ecs-error`,
/// `ecs-process`, `ecs-service`, `ecs-user`, `ecs-http` and `ecs-base` (labels are texts, without
/// dots).
fn ecs(object: &Object) {
    assert!(is_moment(text(object, "@timestamp")));
    assert!(["ERROR", "WARN", "INFO"].contains(&text(object, "log.level")));
    assert_eq!((text(object, "ecs.version"), text(object, "service.name")), ("8.11", "corpus"));
    assert_eq!(text(object, "service.version"), "1.2.3");
    let _ = text(object, "message");
    check_ids(object, "trace.id", "span.id");
    for (name, value) in object {
        match name.as_str() {
            "log.origin.file.line" => assert!(value.is_u64()),
            "labels" => {
                for (label, value) in value.as_object().unwrap() {
                    assert!(!label.contains(['.', '*', '\\']) && value.is_string(), "{label}");
                }
            }
            "@timestamp"
            | "log.level"
            | "log.logger"
            | "message"
            | "ecs.version"
            | "log.origin.function"
            | "log.origin.file.name"
            | "process.thread.name"
            | "trace.id"
            | "span.id"
            | "user.id"
            | "http.request.id"
            | "error.message"
            | "error.id"
            | "error.stack_trace"
            | "service.name"
            | "service.version" => {
                assert!(value.is_string(), "{name}");
            }
            // Two fields of the line that mean the same.
            _ => assert!(name.starts_with("field."), "{name}"),
        }
    }
}

/// One `LogsData` a line, <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>; numbers
/// of levels by <https://opentelemetry.io/docs/specs/otel/logs/data-model/>; ids in hexadecimal digits
/// and whole numbers as texts by <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.
fn opentelemetry(object: &Object) {
    assert_eq!(object.keys().collect::<Vec<_>>(), ["resourceLogs"]);
    let attributes = |of: &Value| {
        let mut names = Vec::new();
        for attribute in of["attributes"].as_array().unwrap() {
            names.push(attribute["key"].as_str().unwrap().to_owned());
            let value = attribute["value"].as_object().unwrap();
            let (kind, value) = value.iter().next().unwrap();
            match kind.as_str() {
                "stringValue" => assert!(value.is_string()),
                "intValue" => assert!(value.as_str().unwrap().parse::<i64>().is_ok()),
                "doubleValue" => assert!(value.is_number()),
                "boolValue" => assert!(value.is_boolean()),
                other => panic!("{other}"),
            }
        }
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "attributes have names of their own: {of}");
    };
    let of_resource = &object["resourceLogs"][0];
    attributes(&of_resource["resource"]);
    let of_scope = &of_resource["scopeLogs"][0];
    assert!(of_scope["scope"]["name"].is_string());
    let record = &of_scope["logRecords"][0];
    let since: u64 = record["timeUnixNano"].as_str().unwrap().parse().unwrap();
    assert!(since > 1_700_000_000_000_000_000, "{record}");
    let number = record["severityNumber"].as_u64().unwrap();
    let level = record["severityText"].as_str().unwrap();
    assert!([("ERROR", 17), ("WARN", 13), ("INFO", 9)].contains(&(level, number)));
    assert!(record["body"]["stringValue"].is_string());
    check_ids(record.as_object().unwrap(), "traceId", "spanId");
    attributes(record);
}

/// The special fields of <https://cloud.google.com/logging/docs/structured-logging>, with the types of
/// <https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry> (a line of the code is an
/// `int64`, and so a text) and the trace of
/// <https://cloud.google.com/trace/docs/trace-log-integration>; all others are anybody's.
fn google_cloud(object: &Object) {
    assert!(is_moment(text(object, "time")));
    assert!(["ERROR", "WARNING", "INFO"].contains(&text(object, "severity")));
    let _ = text(object, "message");
    if let Some(trace) = object.get("logging.googleapis.com/trace") {
        let id = trace.as_str().unwrap().strip_prefix("projects/corpus-1/traces/");
        assert!(is_hex(id.unwrap(), 32), "{trace}");
        assert!(is_hex(text(object, "logging.googleapis.com/spanId"), 16));
    }
    if let Some(source) = object.get("logging.googleapis.com/sourceLocation") {
        for (name, value) in source.as_object().unwrap() {
            assert!(["file", "line", "function"].contains(&name.as_str()) && value.is_string());
        }
        assert!(
            source.get("line").is_none_or(|line| line.as_str().unwrap().parse::<u64>().is_ok())
        );
    }
    if let Some(labels) = object.get("logging.googleapis.com/labels") {
        assert!(labels.as_object().unwrap().values().all(Value::is_string));
    }
    let theirs = ["httpRequest", "timestamp", "timestampSeconds", "timestampNanos"];
    for name in theirs.into_iter().chain(["file", "line", "function"]) {
        assert!(!object.contains_key(name), "{name}");
    }
}

/// The reserved attributes and the names of the standard ones, by
/// <https://docs.datadoghq.com/standard-attributes/>; ids as tracers write them into lines, the trace's
/// in 128 bits and hexadecimal, the span's decimal,
/// <https://docs.datadoghq.com/tracing/other_telemetry/connect_logs_and_traces/>.
fn datadog(object: &Object) {
    assert!(is_moment(text(object, "timestamp")));
    assert!(["error", "warn", "info"].contains(&text(object, "status")));
    assert_eq!((text(object, "service"), text(object, "version")), ("corpus", "1.2.3"));
    for name in ["message", "logger.name", "logger.thread_name"] {
        let _ = text(object, name);
    }
    if let Some(id) = object.get("dd.trace_id") {
        assert!(is_hex(id.as_str().unwrap(), 32));
        assert!(text(object, "dd.span_id").parse::<u64>().is_ok());
    }
    for name in ["host", "device", "source", "ddsource", "ddtags", "date"] {
        assert!(!object.contains_key(name), "{name}");
    }
}
