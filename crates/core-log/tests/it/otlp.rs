use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use core_log::otlp::{Kind, Span};
use core_log::{Config, Event, Options, otlp};
use core_types::{Scope, TraceContext};
use tracing::{error, info_span};

use crate::output::{SOON, booting, strict};

mod jaeger;
mod tls;

/// Reads one request; its body.
fn request(stream: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let head = head.to_ascii_lowercase();
    let (_, rest) = head.split_once("content-length: ")?;
    let length = rest.split_once("\r\n")?.0.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A collector that answers with one status after the other, the last one for ever; where there is
/// none it never answers. What it was sent.
fn collector(statuses: &'static [&'static str]) -> (String, Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, received) = channel();
    // It ends with the test's process, or when nobody wants to know any more.
    let serve = move || {
        let mut statuses = statuses.iter().copied();
        let mut status = statuses.next();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some(request) = request(&mut stream) {
                if sender.send(request).is_err() {
                    return;
                }
                let Some(now) = status else { continue };
                let answer = format!("HTTP/1.1 {now}\r\ncontent-length: 0\r\n\r\n");
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
                status = statuses.next().or(status);
            }
        }
    };
    std::thread::Builder::new().name("collector".into()).spawn(serve).unwrap();
    (endpoint, received)
}

fn config(endpoint: &str) -> otlp::Config {
    let mut config = otlp::Config::new(endpoint, "app");
    config.timeout = Duration::from_millis(200);
    config.delay = Duration::from_millis(1);
    config
}

#[derive(Default)]
struct Seen {
    lines: Vec<String>,
    dropped: Vec<(&'static str, u64)>,
}

impl Seen {
    fn dropped(&self) -> u64 {
        self.dropped.iter().map(|(_, spans)| spans).sum()
    }
}

/// Runs some code under a log that exports.
fn exporting(config: otlp::Config, work: impl FnOnce(&core_log::Logging)) -> Seen {
    let dropped = Arc::<Mutex<Vec<_>>>::default();
    let seen = Arc::clone(&dropped);
    let options = Options::new().with_observer(move |event| {
        if let Event::SpansDropped { reason, spans } = event {
            seen.lock().unwrap().push((*reason, *spans));
        }
    });
    let text = booting(options, |logging| {
        logging.configure(&Config::default());
        logging.export_traces(config).unwrap();
        work(logging);
    });
    let lines = text.lines().map(|line| strict(line)["message"].as_str().unwrap().to_owned());
    let dropped = dropped.lock().unwrap().clone();
    Seen { lines: lines.collect(), dropped }
}

fn contains(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

/// LOG-9, LOG-7: spans go to the collector with what their lines show, and no secret.
#[test]
fn spans_reach_the_collector() {
    let (endpoint, received) = collector(&["200 OK"]);
    let mut config = config(&endpoint);
    config.headers = vec![("x-key".into(), "canary-key".into())];
    let trace = TraceContext::root();
    let seen = exporting(config, |logging| {
        logging.scrub(&["canary-value".into()]);
        Scope::root().with_trace(trace.clone()).run(|| {
            let span = info_span!("work", password = "canary", note = "has canary-value", n = 3);
            span.in_scope(|| error!("failed"));
        });
        logging.export_span(
            Span::new("http", trace.child(), "GET /x").with_kind(Kind::Server).with_text("a", "b"),
        );
        assert!(logging.close_traces(SOON));
        info_span!("too late").in_scope(|| ());
    });
    assert_eq!((seen.dropped(), seen.lines.as_slice()), (0, &["failed".to_owned()][..]));
    let bodies: Vec<_> = received.try_iter().collect();
    let head = &bodies[0].0;
    assert!(head.contains("content-type: application/x-protobuf"), "{head}");
    assert!(head.contains("x-key: canary-key"), "{head}");
    let all: Vec<u8> = bodies.iter().flat_map(|(_, body)| body.clone()).collect();
    for text in ["service.name", "work", "GET /x", "[REDACTED]", "has [REDACTED]", "it::otlp"] {
        assert!(contains(&all, text.as_bytes()), "{text}");
    }
    assert!(contains(&all, &trace.trace_id().to_bytes()));
    assert!(contains(&all, &trace.span_id().to_bytes()), "the parent");
    assert!(!contains(&all, b"canary") && !contains(&all, b"too late"));
}

/// LOG-5, LOG-9: a span with an error has failed, though the error's line is one too many.
#[test]
fn an_error_that_is_not_written_counts() {
    let (endpoint, received) = collector(&["200 OK"]);
    let seen = exporting(config(&endpoint), |logging| {
        let mut limited = Config::default();
        limited.max_per_callsite = 1;
        logging.configure(&limited);
        for _ in 0..9 {
            info_span!("work").in_scope(|| error!("failed"));
        }
        assert!(logging.close_traces(SOON));
    });
    let written = seen.lines.iter().filter(|message| *message == "failed").count();
    let all: Vec<u8> = received.try_iter().flat_map(|(_, body)| body).collect();
    // Status (field 15), of two bytes: code (field 3) is ERROR (2).
    let failed = all.windows(4).filter(|bytes| *bytes == [15 << 3 | 2, 2, 3 << 3, 2]).count();
    assert!(written < 9, "{written} lines");
    assert_eq!(failed, 9);
}

/// LOG-9: traces that upstream does not record are not exported.
#[test]
fn the_parent_decides() {
    let (endpoint, received) = collector(&["200 OK"]);
    exporting(config(&endpoint), |logging| {
        for flags in ["00", "01"] {
            let header = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let trace = TraceContext::parse(&header, None).unwrap();
            let name = format!("by hand {flags}");
            logging.export_span(Span::new("x", trace.clone(), name));
            Scope::root().with_trace(trace).run(|| {
                info_span!("outer", flags).in_scope(|| info_span!("inner", flags).in_scope(|| ()));
            });
        }
        assert!(logging.close_traces(SOON));
    });
    let all: Vec<u8> = received.try_iter().flat_map(|(_, body)| body).collect();
    assert!(contains(&all, b"by hand 01") && !contains(&all, b"by hand 00"));
    assert!(contains(&all, b"inner") && !contains(&all, b"\x0a\x0200"));
}

/// LOG-9: a collector that has no time is asked again, and nothing is lost.
#[test]
fn a_busy_collector_is_asked_again() {
    let (endpoint, received) =
        collector(&["503 Later\r\nretry-after: 0", "429 Slowly\r\nretry-after: 0", "200 OK"]);
    let seen = exporting(config(&endpoint), |logging| {
        info_span!("work").in_scope(|| ());
        for _ in 0..3 {
            assert!(contains(&received.recv_timeout(SOON).unwrap().1, b"work"));
        }
        assert!(logging.close_traces(SOON));
    });
    assert_eq!(seen.dropped(), 0);
    assert_eq!(seen.lines, ["traces cannot be exported", "traces are exported again"]);
}

/// LOG-9: a collector that refuses is told once, and what it refuses is counted.
#[test]
fn a_refusing_collector_is_told_once() {
    let (endpoint, received) = collector(&["400 Bad"]);
    let seen = exporting(config(&endpoint), |logging| {
        for _ in 0..3 {
            info_span!("work").in_scope(|| ());
            received.recv_timeout(SOON).unwrap();
        }
        assert!(logging.close_traces(SOON));
    });
    assert_eq!(seen.dropped, [("refused", 1); 3]);
    assert_eq!(seen.lines, ["traces cannot be exported"]);
}

/// LOG-9: whether the collector is down or never answers, the service does not wait, and what is
/// not exported is counted; a stop takes no longer than it is given.
#[test]
fn no_collector_holds_anybody_up() {
    const SPANS: u64 = 1000;
    let (slow, received) = collector(&[]);
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for endpoint in [slow, format!("http://{gone}/v1/traces")] {
        let mut config = config(&endpoint);
        config.timeout = Duration::from_secs(60);
        (config.max_queue, config.max_batch) = (100, 10);
        let is_slow = !endpoint.contains(&gone.to_string());
        let seen = exporting(config, |logging| {
            let begun = Instant::now();
            (0..SPANS).for_each(|_| info_span!("work", n = 1).in_scope(|| ()));
            assert!(begun.elapsed() < Duration::from_secs(5));
            if is_slow {
                received.recv_timeout(SOON).unwrap();
            }
            let begun = Instant::now();
            let is_done = logging.close_traces(Duration::from_millis(300));
            assert!(begun.elapsed() < Duration::from_secs(5));
            assert!(!is_slow || !is_done);
        });
        assert_eq!(seen.dropped(), SPANS, "{:?}", seen.dropped);
    }
}
