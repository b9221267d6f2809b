//! A loopback server for what no healthy API server does. It says what a real one says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::ErrorKind;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::write_kubeconfig;
use crate::support::{LIMIT, during, eventually, read, refused, secrets};

/// What is answered to a request by its target and its number, from 0; after that the connection is
/// closed.
type Play = fn(&str, usize) -> String;

struct Loopback {
    folder: tempfile::TempDir,
    targets: Arc<Mutex<Vec<String>>>,
}

impl Loopback {
    async fn new(play: Play) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let cluster = format!("{{server: 'http://{}'}}", listener.local_addr().unwrap());
        write_kubeconfig(&folder.path().join("kubeconfig"), &cluster, "{token: canary-token}");
        let targets = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&targets);
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let target = target(&mut stream).await;
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(target.clone());
                    seen.len() - 1
                };
                let _ = stream.write_all(play(&target, number).as_bytes()).await;
            }
        });
        Self { folder, targets }
    }

    fn secrets(&self) -> core_secrets::Secrets {
        secrets(&self.folder.path().join("kubeconfig"), "test").0
    }
}

async fn target(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let request = String::from_utf8(request).unwrap();
    request.split(' ').nth(1).unwrap().to_owned()
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The value is `canary-1`, or `canary-2` in base64.
fn secret(version: u32) -> String {
    let value = ["Y2FuYXJ5LTE=", "Y2FuYXJ5LTI="][version as usize - 1];
    let metadata = format!(r#"{{"name":"db","resourceVersion":"{version}"}}"#);
    answer(
        "200 OK",
        &format!(r#"{{"kind":"Secret","metadata":{metadata},"data":{{"a":"{value}"}}}}"#),
    )
}

fn told(kind: &str, object: &str) -> String {
    answer("200 OK", &format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n"))
}

/// SEC-2, SEC-4: a watch that the server cannot go on with (410) begins anew after a pause, asks for
/// no version, and tells of what it missed.
#[tokio::test]
async fn a_watch_that_is_gone_begins_anew() {
    let server = Loopback::new(|target, number| {
        let gone = r#"{"kind":"Status","status":"Failure","reason":"Expired","code":410}"#;
        match (target.contains("watch="), number) {
            (false, 0) => secret(1),
            (true, 1) => told("ERROR", gone),
            (true, _) => told("ADDED", r#"{"metadata":{"resourceVersion":"2"}}"#),
            (false, _) => secret(2),
        }
    })
    .await;
    let secrets = server.secrets();
    assert_eq!(read(&secrets, "db", Some("a")).await, "canary-1");
    let value = || secrets.cached("db", Some("a")).unwrap().expose().clone();
    during(&secrets, eventually(LIMIT, || async { value() == "canary-2" })).await;

    let targets = server.targets.lock().unwrap();
    let watch = "/api/v1/namespaces/test/secrets\
                 ?watch=1&fieldSelector=metadata.name%3Ddb&timeoutSeconds=240";
    let get = "/api/v1/namespaces/test/secrets/db";
    assert_eq!(targets[..4], [get, watch, watch, get]);
}

/// SEC-2, SEC-6: an answer that is cut off or makes no sense is a passing fault, and nothing of it is
/// told.
#[tokio::test]
async fn answers_that_make_no_sense_are_not_quoted() {
    let plays: [Play; 3] = [
        |_, _| answer("200 OK", r#"{"kind":"Secret","metadata":{},"data":{"a":["canary"]}}"#),
        |_, _| answer("200 OK", "canary"),
        |_, _| secret(1).replace("content-length: ", "content-length: 9"),
    ];
    for play in plays {
        let secrets = Loopback::new(play).await;
        let (kind, told) = refused(&secrets.secrets(), "db", Some("a")).await;
        assert_eq!(kind, ErrorKind::Unavailable, "{told}");
        assert!(!told.contains("canary") && !told.contains("Y2Fu"), "{told}");
    }
}

/// SEC-2: a busy server says for how long it is to be left alone.
#[tokio::test]
async fn a_busy_server_is_left_alone_for_as_long_as_it_asks() {
    let busy = |_: &str, _| {
        answer("429 Too Many Requests", "").replace("\r\n\r\n", "\r\nretry-after: 7\r\n\r\n")
    };
    let server = Loopback::new(busy).await;
    let error = server.secrets().get("db", Some("a")).await.unwrap_err();
    let core_secrets::Error::Backend { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(source.kind(), ErrorKind::Unavailable);
    assert_eq!(server.targets.lock().unwrap().len(), 1, "the client does not repeat by itself");
}
