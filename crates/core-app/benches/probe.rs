//! Probes a second over loopback, beside a bare hyper service that answers a constant: the same
//! runtime, clients with connections of their own that are kept, turn by turn in one run.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints or fails")]
#![allow(clippy::disallowed_methods, reason = "a benchmark is its own host")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use core_app::App;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const CONNECTIONS: usize = 32;
const TURNS: usize = 50;
/// Short, for a machine that others use is not equally quick for long.
const TURN: Duration = Duration::from_millis(200);

fn main() {
    // `cargo test --benches` asks whether this runs at all.
    let is_measured = std::env::args().any(|argument| argument == "--bench");
    let turn = if is_measured { TURN } else { TURN / 100 };
    // A part of a name, to profile one case alone.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for workers in [cores, 1] {
        println!("{workers} workers for the servers, {workers} for the clients");
        compare(workers, turn, wanted.as_deref().unwrap_or_default());
    }
}

fn compare(workers: usize, turn: Duration, wanted: &str) {
    let build =
        || Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
    let (servers, clients) = (build(), build());
    let app = App::new("bench", "1.2.3")
        .with_arguments([
            "--set",
            "server.bind_address=127.0.0.1:0",
            "--set",
            "ops.bind_address=127.0.0.1:0",
        ])
        .with_environment([("", ""); 0]);
    let running = servers.block_on(app.start(async |_| Ok::<_, Infallible>(axum::Router::new())));
    let running = running.unwrap();
    let bare = servers.block_on(hello());
    let cases: [(&str, SocketAddr, &str, &str); 5] = [
        ("bare hyper, a constant", bare, "/health/live", "text/plain"),
        ("ops port, liveness, one word", running.ops_address(), "/health/live", "text/plain"),
        ("ops port, readiness, JSON", running.ops_address(), "/health/ready", "*/*"),
        ("app port, liveness, one word", running.app_address(), "/health/live", "text/plain"),
        ("app port, readiness, JSON", running.app_address(), "/health/ready", "*/*"),
    ];
    let cases: Vec<_> = cases.into_iter().filter(|(name, ..)| name.contains(wanted)).collect();
    let mut rates = vec![Vec::new(); cases.len()];
    for _ in 0..TURNS {
        for ((_, address, path, accept), rates) in cases.iter().zip(&mut rates) {
            let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n");
            rates.push(clients.block_on(load(*address, &request, turn)));
        }
    }
    let ratios = |of: &[f64]| median(of.iter().zip(&rates[0]).map(|(one, bare)| one / bare));
    for ((name, ..), of) in cases.iter().zip(&rates) {
        let rate = median(of.iter().copied());
        println!("  {name:30} {rate:8.0} a second, {:.2} of the first", ratios(of));
    }
    servers.block_on(running.stop());
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

/// Answers a second, to clients that each ask again as soon as they were answered.
async fn load(address: SocketAddr, request: &str, time: Duration) -> f64 {
    let begin = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| tokio::spawn(client(address, request.to_owned(), begin + time)))
        .collect();
    let mut answers = 0;
    for client in clients {
        answers += client.await.unwrap();
    }
    f64::from(answers) / begin.elapsed().as_secs_f64()
}

async fn client(address: SocketAddr, request: String, until: Instant) -> u32 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
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
    answers
}

/// Whether an answer is there, body and all.
fn is_whole(answer: &[u8]) -> bool {
    let text = std::str::from_utf8(answer).unwrap();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() == length.parse::<usize>().unwrap()
}
