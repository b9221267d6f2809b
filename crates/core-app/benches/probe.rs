//! Probes a second over loopback, beside a bare hyper service that answers a constant: the same
//! runtime, clients with connections of their own that are kept, turn by turn in one run.
//!
//! Once on tokio's default runtime, and once on one like that of a process's ops port: a single
//! thread.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints or fails")]
#![allow(clippy::disallowed_methods, reason = "a benchmark is its own host")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use core_app::{App, Running};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

const CONNECTIONS: usize = 32;
const TURNS: usize = 400;
/// Short, for a machine that others use is not equally quick for long.
const TURN: Duration = Duration::from_millis(25);

fn main() {
    // `cargo test --benches` asks whether this runs at all.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let turns = if is_measured { TURNS } else { 1 };
    // A part of a name, to profile one case alone.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = wanted.as_deref().unwrap_or_default();
    println!("servers on tokio's default runtime");
    compare(Builder::new_multi_thread().enable_all().build().unwrap(), turns, wanted);
    println!("servers on one thread, as a process's ops port is");
    compare(Builder::new_current_thread().enable_all().build().unwrap(), turns, wanted);
}

fn compare(servers: Runtime, turns: usize, wanted: &str) {
    let clients = Builder::new_multi_thread()
        .worker_threads(servers.metrics().num_workers())
        .enable_all()
        .build()
        .unwrap();
    let (tell, told) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = std::thread::spawn(move || {
        servers.block_on(async {
            let running = start().await;
            tell.send((hello().await, running.ops_address(), running.app_address())).unwrap();
            let _ = stopped.await;
            running.stop().await;
        });
    });
    let (bare, ops, app) = told.recv().unwrap();
    let cases: [(&str, SocketAddr, &str, &str); 5] = [
        ("bare hyper, a constant", bare, "/health/live", "text/plain"),
        ("ops port, liveness, one word", ops, "/health/live", "text/plain"),
        ("ops port, readiness, JSON", ops, "/health/ready", "*/*"),
        ("app port, liveness, one word", app, "/health/live", "text/plain"),
        ("app port, readiness, JSON", app, "/health/ready", "*/*"),
    ];
    let cases = cases.into_iter().filter(|(name, ..)| name.contains(wanted));
    let mut cases: Vec<Case> = cases
        .map(|(name, address, path, accept)| Case {
            name,
            request: format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n").into(),
            streams: clients.block_on(connect(address)),
            rates: Vec::new(),
        })
        .collect();
    for _ in 0..turns {
        for case in &mut cases {
            clients.block_on(case.turn());
        }
    }
    for Case { name, rates, .. } in &cases {
        let ratios = rates.iter().zip(&cases[0].rates).map(|(one, bare)| one / bare);
        let (rate, ratio) = (median(rates.iter().copied()), median(ratios));
        println!("  {name:30} {rate:8.0} a second, {ratio:.2} of the first");
    }
    drop(cases);
    stop.send(()).unwrap();
    serving.join().unwrap();
}

/// A host with both ports and nothing to do.
async fn start() -> Running {
    let app = App::new("bench", "1.2.3")
        .with_arguments([
            "--set",
            "server.bind_address=127.0.0.1:0",
            "--set",
            "ops.bind_address=127.0.0.1:0",
        ])
        .with_environment([("", ""); 0]);
    app.start(async |_| Ok::<_, Infallible>(axum::Router::new())).await.unwrap()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The least that hyper can do.
async fn hello() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = async |_: Request<Incoming>| {
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"healthy"))))
            };
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.timer(TokioTimer::new());
            tokio::spawn(builder.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    address
}

/// One way to ask, by connections of its own.
struct Case {
    name: &'static str,
    request: Arc<str>,
    streams: Vec<TcpStream>,
    /// Answers a second, turn by turn.
    rates: Vec<f64>,
}

impl Case {
    /// Clients that each ask again as soon as they were answered.
    async fn turn(&mut self) {
        let begin = Instant::now();
        let ask = |stream| tokio::spawn(client(stream, Arc::clone(&self.request), begin + TURN));
        let clients: Vec<_> = self.streams.drain(..).map(ask).collect();
        let mut answers = 0;
        for client in clients {
            let (stream, answered) = client.await.unwrap();
            self.streams.push(stream);
            answers += answered;
        }
        self.rates.push(f64::from(answers) / begin.elapsed().as_secs_f64());
    }
}

async fn connect(address: SocketAddr) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        streams.push(stream);
    }
    streams
}

async fn client(mut stream: TcpStream, request: Arc<str>, until: Instant) -> (TcpStream, u32) {
    let mut buffer = vec![0; 16 << 10];
    let mut answers = 0;
    let mut usual = 0;
    while Instant::now() < until {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut filled = 0;
        loop {
            let read = stream.read(&mut buffer[filled..]).await.unwrap();
            assert_ne!(read, 0, "the connection is kept");
            filled += read;
            // One as long as the last is not read again: it is the server that is measured.
            if filled == usual || is_whole(&buffer[..filled]) {
                break;
            }
        }
        usual = filled;
        answers += 1;
    }
    (stream, answers)
}

/// Whether an answer is there, body and all.
fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}
