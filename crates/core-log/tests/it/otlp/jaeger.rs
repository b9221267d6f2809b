//! Spans as a real collector understands them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use core_log::otlp::{Kind, Span};
use core_types::{Scope, TraceContext};
use serde_json::Value;
use tracing::{error, info_span};

use super::{config, exporting};
use crate::output::SOON;

/// A Jaeger that keeps everything in memory, and ends with the test.
struct Jaeger {
    process: Child,
    otlp: u16,
    query: u16,
}

impl Drop for Jaeger {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program that the variable `JAEGER_BIN` names.
#[expect(clippy::disallowed_methods, reason = "what a test needs is no setting")]
fn find() -> Option<PathBuf> {
    std::env::var_os("JAEGER_BIN").map(PathBuf::from)
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Jaeger {
    fn start() -> Option<Self> {
        let program = find()?;
        // Ports that are free now may be taken when it looks: then once more.
        let jaeger = (0..3).find_map(|_| Self::try_start(&program));
        Some(jaeger.expect("jaeger does not start"))
    }

    fn try_start(program: &Path) -> Option<Self> {
        let ports: Vec<u16> = (0..7).map(|_| free_port()).collect();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program);
        for (name, port) in [
            "collector.otlp.http",
            "query.http-server",
            "collector.otlp.grpc",
            "query.grpc-server",
            "collector.http-server",
            "collector.grpc-server",
            "admin.http",
        ]
        .iter()
        .zip(&ports)
        {
            command.arg(format!("--{name}.host-port=127.0.0.1:{port}"));
        }
        let process =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let mut jaeger = Self { process: process.unwrap(), otlp: ports[0], query: ports[1] };
        let deadline = Instant::now() + 3 * SOON;
        while Instant::now() < deadline {
            if jaeger.process.try_wait().unwrap().is_some() {
                return None;
            }
            let is_up = |port| TcpStream::connect(("127.0.0.1", port)).is_ok();
            if is_up(jaeger.otlp) && is_up(jaeger.query) {
                return Some(jaeger);
            }
            std::thread::yield_now();
        }
        None
    }

    fn ask(&self, path: &str) -> Value {
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", self.query)).unwrap());
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).unwrap();
        }
        let mut body = String::new();
        stream.read_to_string(&mut body).unwrap();
        serde_json::from_str(&body).unwrap_or(Value::Null)
    }

    /// The trace, once all of its spans are there.
    fn trace(&self, id: &str, spans: usize) -> Value {
        let deadline = Instant::now() + SOON;
        loop {
            let answer = self.ask(&format!("/api/traces/{id}"));
            let trace = &answer["data"][0];
            if trace["spans"].as_array().is_some_and(|found| found.len() == spans) {
                return trace.clone();
            }
            assert!(Instant::now() < deadline, "{answer}");
            std::thread::yield_now();
        }
    }
}

fn tag<'a>(span: &'a Value, name: &str) -> &'a Value {
    let tags = span["tags"].as_array().unwrap();
    tags.iter().find(|tag| tag["key"] == name).map_or(&Value::Null, |tag| &tag["value"])
}

/// LOG-9: a real collector knows spans by their names, attributes with their types, parents, kinds
/// and failures, and the process by its resource; one that is killed is missed by nobody.
#[test]
fn jaeger_understands_spans() {
    let Some(jaeger) = Jaeger::start() else {
        return println!("skipped: JAEGER_BIN names no Jaeger; `cargo xtask test otlp` does");
    };
    let root = TraceContext::root();
    let id = root.trace_id().to_string();
    for compress in [false, true] {
        let mut config = config(&format!("http://127.0.0.1:{}/v1/traces", jaeger.otlp));
        config.timeout = SOON;
        config.compress = compress;
        config.resource.push(("deployment.environment.name".into(), "test".into()));
        let root = if compress { TraceContext::root() } else { root.clone() };
        let seen = exporting(config, |logging| {
            Scope::root().with_trace(root.clone()).run(|| {
                let outer = info_span!("outer", text = "a\"é", whole = -3, part = 0.5, yes = true);
                let _entered = outer.enter();
                let inner = info_span!("inner", otel.kind = "client", otel.name = "GET /y");
                inner.in_scope(|| error!("went wrong"));
            });
            let request = Span::new("http", root.clone(), "GET /x");
            logging.export_span(request.with_kind(Kind::Server).with_number("status", 200));
            assert!(logging.close_traces(SOON));
        });
        assert_eq!(seen.dropped(), 0, "{:?}", seen.lines);
        jaeger.trace(&root.trace_id().to_string(), 3);
    }
    let trace = jaeger.trace(&id, 3);
    let spans = trace["spans"].as_array().unwrap();
    let named = |name: &str| spans.iter().find(|span| span["operationName"] == name).unwrap();
    let (request, outer, inner) = (named("GET /x"), named("outer"), named("GET /y"));
    let parent = |span: &Value| span["references"][0]["spanID"].clone();
    assert_eq!(request["spanID"], root.span_id().to_string());
    assert_eq!(request["references"].as_array().map(Vec::len), Some(0));
    assert_eq!(
        (parent(outer), parent(inner)),
        (request["spanID"].clone(), outer["spanID"].clone())
    );
    assert_eq!(
        (tag(request, "span.kind"), tag(inner, "span.kind")),
        (&"server".into(), &"client".into())
    );
    assert_eq!(tag(request, "status"), 200);
    for (name, value) in [
        ("text", Value::from("a\"é")),
        ("whole", (-3).into()),
        ("part", 0.5.into()),
        ("yes", true.into()),
    ] {
        assert_eq!(tag(outer, name), &value, "{name}");
    }
    assert_eq!((tag(inner, "error"), tag(outer, "error")), (&true.into(), &Value::Null));
    let process = &trace["processes"][outer["processID"].as_str().unwrap()];
    assert_eq!(process["serviceName"], "app");
    assert_eq!(tag(process, "deployment.environment.name"), "test");
    drop(jaeger);
}
