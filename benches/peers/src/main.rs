//! What one event costs its caller, for core-log and its peers in the same run: a message and four
//! fields, in a span with three, as JSON to memory. Ours has correlation, redaction and a level
//! filter on. Rounds of all take turns; the medians are of the caller's own processor time.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on fails")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_log::{Config, Event, Logging, Options};
use core_types::{CorrelationId, RequestId, Scope};
use slog::Drain as _;
use tracing::Dispatch;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

const ROUNDS: usize = 41;
/// Less than what may wait for our writer.
const EVENTS: u32 = 5000;

/// A place that keeps the last lines only.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().unwrap();
        if kept.len() > 1 << 20 {
            kept.clear();
        }
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    fn last_event(&self) -> String {
        let kept = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let last = kept.lines().rfind(|line| line.contains("Processing message"));
        last.unwrap_or_default().to_owned()
    }
}

/// Reports all events of a round; what comes back is waited for outside of the measured time.
type Round = Box<dyn Fn()>;

struct Subject {
    name: &'static str,
    memory: Memory,
    round: Round,
    settle: Round,
    spent: Vec<Duration>,
}

impl Subject {
    fn new(name: &'static str, make: impl FnOnce(Memory) -> Round) -> Self {
        let memory = Memory::default();
        let round = make(memory.clone());
        Self { name, memory, round, settle: Box::new(|| ()), spent: Vec::new() }
    }

    fn measure(&mut self) {
        let before = on_processor();
        (self.round)();
        self.spent.push(on_processor() - before);
        (self.settle)();
    }

    /// Nanoseconds an event.
    fn median(&mut self) -> f64 {
        self.spent.sort();
        self.spent[self.spent.len() / 2].as_secs_f64() * 1e9 / f64::from(EVENTS)
    }

    /// Whether it has really written what was measured.
    fn check(&self) {
        let line = self.memory.last_event();
        let value: serde_json::Value = serde_json::from_str(&line).expect(&line);
        assert!(value.is_object());
        for text in ["generate_plan", "0.25", "/v1/plan", "ada"] {
            assert!(line.contains(text), "{} has no {text}: {line}", self.name);
        }
    }
}

fn on_processor() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

/// What all that report by `tracing` do.
fn traced() {
    let span = tracing::info_span!("request", tenant = "blue", route = "/v1/plan", user = "ada");
    let _span = span.entered();
    for _ in 0..EVENTS {
        tracing::info!(
            message_type = black_box("generate_plan"),
            attempt = black_box(3_u64),
            ratio = black_box(0.25_f64),
            outcome = black_box("accepted"),
            "Processing message"
        );
    }
}

fn dispatched(dispatch: Dispatch) -> Round {
    Box::new(move || tracing::dispatcher::with_default(&dispatch, traced))
}

fn ours() -> Subject {
    let memory = Memory::default();
    let options = Options::new().with_destination(memory.clone()).with_observer(|event| {
        assert!(!matches!(event, Event::Dropped { .. }), "a dropped line costs nothing");
    });
    let (logging, layer) = Logging::layer(options).unwrap();
    let mut config = Config::default();
    config.level = "info,hyper=warn".parse().unwrap();
    config.redact = vec!["ssn".into(), "iban".into()];
    logging.configure(&config);
    logging.scrub(&["canary-of-the-database".into(), "canary-of-the-queue".into()]);
    let dispatch = Dispatch::new(Registry::default().with(layer));
    let round = dispatched(dispatch);
    let scoped = move || {
        let scope = Scope::root()
            .with_correlation_id(CorrelationId::generate())
            .with_request_id(RequestId::generate());
        scope.run(&round);
    };
    let settle = move || assert!(logging.flush(Duration::from_secs(60)));
    Subject {
        name: "core-log",
        memory,
        round: Box::new(scoped),
        settle: Box::new(settle),
        spent: Vec::new(),
    }
}

fn tracing_subscriber(memory: Memory) -> Round {
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let layer = layer.with_writer(move || memory.clone());
    dispatched(Dispatch::new(Registry::default().with(layer)))
}

fn json_subscriber(memory: Memory) -> Round {
    let layer = json_subscriber::fmt::layer().flatten_event(true);
    let layer = layer.flatten_span_list_on_top_level(true).with_writer(move || memory.clone());
    dispatched(Dispatch::new(Registry::default().with(layer)))
}

fn bunyan(memory: Memory) -> Round {
    use tracing_bunyan_formatter::{BunyanFormattingLayer, JsonStorageLayer};
    let layer = BunyanFormattingLayer::new("peers".into(), move || memory.clone());
    dispatched(Dispatch::new(Registry::default().with(JsonStorageLayer).with(layer)))
}

fn slog_json(memory: Memory) -> Round {
    let drain = Mutex::new(slog_json::Json::default(memory)).fuse();
    let logger = slog::Logger::root(drain, slog::o!());
    Box::new(move || {
        let span = logger.new(slog::o!("tenant" => "blue", "route" => "/v1/plan", "user" => "ada"));
        for _ in 0..EVENTS {
            slog::info!(span, "Processing message";
                "message_type" => black_box("generate_plan"),
                "attempt" => black_box(3_u64),
                "ratio" => black_box(0.25_f64),
                "outcome" => black_box("accepted"));
        }
    })
}

/// It knows no spans: their fields are the event's.
fn structured_logger(memory: Memory) -> Round {
    let writer = structured_logger::json::new_writer(memory);
    let builder = structured_logger::Builder::with_level("info");
    let logger = builder.with_default_writer(writer).build();
    log::set_max_level(log::LevelFilter::Info);
    Box::new(move || {
        for _ in 0..EVENTS {
            log::info!(logger: logger,
                tenant = "blue", route = "/v1/plan", user = "ada",
                message_type = black_box("generate_plan"),
                attempt = black_box(3_u64),
                ratio = black_box(0.25_f64),
                outcome = black_box("accepted");
                "Processing message");
        }
    })
}

/// It brings no JSON to a writer: what its events serialize as, in one buffer.
fn emit_json(memory: Memory) -> Round {
    use emit::Props as _;
    let emitter = emit::emitter::from_fn(move |event| {
        let mut line = String::with_capacity(512);
        if let Some(extent) = event.extent() {
            let _ = write!(line, "{{\"ts\":\"{}\",", extent.as_point());
        }
        let _ = write!(line, "\"mdl\":\"{}\",\"msg\":", event.mdl());
        let mut line = line.into_bytes();
        serde_json::to_writer(&mut line, &event.msg().to_string()).unwrap();
        line.extend_from_slice(b",\"props\":");
        serde_json::to_writer(&mut line, event.props().as_map()).unwrap();
        line.extend_from_slice(b"}\n");
        memory.clone().write_all(&line).unwrap();
    });
    let _ = emit::setup().emit_to(emitter).init();
    Box::new(move || {
        let props = emit::props! { tenant: "blue", route: "/v1/plan", user: "ada" };
        emit::Frame::push(emit::ctxt(), props).call(|| {
            for _ in 0..EVENTS {
                emit::info!(
                    "Processing message",
                    message_type: black_box("generate_plan"),
                    attempt: black_box(3_u64),
                    ratio: black_box(0.25_f64),
                    outcome: black_box("accepted"),
                );
            }
        });
    })
}

fn main() {
    let mut subjects = vec![
        Subject::new("tracing-subscriber, flattened", tracing_subscriber),
        ours(),
        Subject::new("structured-logger", structured_logger),
        Subject::new("slog-json", slog_json),
        Subject::new("emit", emit_json),
        Subject::new("tracing-bunyan-formatter", bunyan),
        Subject::new("json-subscriber", json_subscriber),
    ];
    for _ in 0..ROUNDS {
        subjects.iter_mut().for_each(Subject::measure);
    }
    subjects.iter().for_each(Subject::check);
    let first = subjects[0].median();
    println!("{:<32}{:>8}{:>8}", "", "ns", "ratio");
    for subject in &mut subjects {
        let median = subject.median();
        println!("{:<32}{median:>8.0}{:>8.2}", subject.name, median / first);
    }
}
