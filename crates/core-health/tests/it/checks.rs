//! HLT-5: the ready-made checks, by way of a service that has registered them.

use core_health::{Health, State, checks};
use core_types::ByteSize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::{check, health};

/// Somebody who answers every request by the same text; its address.
async fn answering(text: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    #[expect(clippy::disallowed_methods, reason = "a test is its own host")]
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut part = [0; 100];
                let read = stream.read(&mut part).await.unwrap();
                if read == 0 {
                    break;
                }
                request.extend(&part[..read]);
            }
            if request.starts_with(b"GET /health?x HTTP/1.1\r\nhost: 127.0.0.1:") {
                stream.write_all(text.as_bytes()).await.unwrap();
            }
        }
    });
    address
}

/// An address at which nobody listens.
async fn deserted() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// The state of a check once it has run, and why.
async fn once_run(health: &Health, name: &str) -> (State, String) {
    let run = async {
        while check(health, name).age.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = health.run() => unreachable!("it never ends"),
        () = run => {}
    }
    let check = check(health, name);
    (check.state, check.reason.as_deref().unwrap_or_default().to_owned())
}

/// HLT-5: TCP reachability.
#[tokio::test]
async fn what_listens_is_reached() {
    let health = health();
    let (there, not_there) = (answering("").await, deserted().await);
    health.check("there", move || checks::tcp(there.clone())).unwrap();
    health.check("not-there", move || checks::tcp(not_there.clone())).unwrap();
    assert_eq!(once_run(&health, "there").await, (State::Healthy, String::new()));
    let (state, reason) = once_run(&health, "not-there").await;
    assert_eq!(state, State::Unhealthy);
    assert!(reason.contains("refused"), "{reason}");
}

/// HLT-5: HTTP reachability, by status.
#[tokio::test]
async fn what_answers_well_is_healthy() {
    let health = health();
    let cases = [
        ("ok", "HTTP/1.1 200 OK\r\n\r\n", State::Healthy, ""),
        ("old", "HTTP/1.0 204 No Content\r\n\r\n", State::Healthy, ""),
        ("moved", "HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", State::Healthy, ""),
        ("down", "HTTP/1.1 503 \r\n\r\n", State::Unhealthy, "answered 503 Service Unavailable"),
        ("lost", "HTTP/1.1 404\r\n\r\n", State::Unhealthy, "answered 404 Not Found"),
        ("ssh", "SSH-2.0-OpenSSH_9.6\r\n", State::Unhealthy, "answered no HTTP"),
        ("strange", "HTTP/1.1 2x0 OK\r\n", State::Unhealthy, "answered no HTTP"),
    ];
    for (name, text, state, reason) in cases {
        let address = format!("http://{}/health?x", answering(text).await);
        let run = move || {
            let address = address.clone();
            async move { checks::http(&address).await }
        };
        health.check(name, run).unwrap();
        assert_eq!(once_run(&health, name).await, (state, reason.to_owned()), "{name}");
    }
}

/// HLT-5: what cannot be asked is unhealthy, and says why.
#[tokio::test]
async fn what_cannot_be_asked_is_unhealthy() {
    let health = health();
    let tls = "only `http://` can be asked";
    for (name, address, expected) in [
        ("tls", "https://127.0.0.1/", tls),
        ("relative", "/health", tls),
        ("nothing", "", "not an address"),
        ("space", "http://a b/", "not an address"),
    ] {
        health.check(name, move || checks::http(address)).unwrap();
        assert_eq!(once_run(&health, name).await, (State::Unhealthy, expected.into()));
    }
    let silent = format!("http://{}/", answering("").await);
    let run = move || {
        let address = silent.clone();
        async move { checks::http(&address).await }
    };
    health.check("silent", run).unwrap();
    let (state, reason) = once_run(&health, "silent").await;
    assert_eq!(state, State::Unhealthy);
    assert!(reason.contains("end of file") || reason.contains("eof"), "{reason}");
}

/// HLT-5: disk space and memory show their figures; what cannot be told is unhealthy.
#[cfg(unix)]
#[tokio::test]
async fn what_runs_short_shows_figures() {
    let health = health();
    health.check("disk", async || checks::disk("/", ByteSize::from_bytes(0))).unwrap();
    health.check("full", async || checks::disk("/", ByteSize::from_bytes(u64::MAX))).unwrap();
    let gone = "/there/is/no/such/folder";
    let run = move || async move { checks::disk(gone, ByteSize::from_bytes(0)) };
    health.check("gone", run).unwrap();
    health.check("memory", async || checks::memory(f64::INFINITY)).unwrap();
    assert_eq!(once_run(&health, "disk").await.0, State::Healthy);
    assert!(check(&health, "disk").data["free_bytes"].is_u64());
    assert_eq!(once_run(&health, "full").await.0, State::Degraded);
    let (state, reason) = once_run(&health, "gone").await;
    assert_eq!(state, State::Unhealthy);
    assert!(reason.contains(gone), "{reason}");
    assert_eq!(once_run(&health, "memory").await.0, State::Healthy);
}
