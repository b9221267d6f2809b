//! moto keeps secrets as AWS does.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::{ErrorKind, Secrets};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::canary::canary;
use crate::http::receive;
use crate::process::Process;
use crate::{config, read, refused};

struct Moto {
    address: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl Moto {
    async fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "set by the suite")]
        let program = std::env::var_os("MOTO_SERVER").map(PathBuf::from);
        let program = program.expect("MOTO_SERVER; `cargo xtask test secrets` sets it");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let arguments = ["-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string()];
        let process = Process::start(&program, &arguments, &folder.path().join("moto.log"));
        let address = format!("127.0.0.1:{port}");
        let deadline = Instant::now() + Duration::from_secs(60);
        while ask(&address, "ListSecrets", "{}").await.is_err() {
            assert!(Instant::now() < deadline, "moto did not start");
            sleep(Duration::from_millis(50)).await;
        }
        Self { address, _process: process, _folder: folder }
    }

    async fn ask(&self, action: &str, body: serde_json::Value) {
        ask(&self.address, action, &body.to_string()).await.unwrap();
    }
}

/// SEC-1, SEC-2, SEC-5: texts and members of JSON objects are read, a missing secret is not found,
/// and another version is a rotation.
#[tokio::test]
#[ignore = "needs a real moto server: cargo xtask test secrets"]
async fn secrets_are_read_and_rotate() {
    let moto = Moto::start().await;
    moto.ask("CreateSecret", json!({"Name": "app/key", "SecretString": canary(1)})).await;
    let object =
        json!({"user": canary("u"), "password": canary("p"), "port": 5432, "more": {}}).to_string();
    moto.ask("CreateSecret", json!({"Name": "app/db", "SecretString": object})).await;
    let bytes = json!({"Name": "bytes", "SecretBinary": "Y2FuYXJ5"});
    moto.ask("CreateSecret", bytes).await;
    let secrets = Secrets::builder(config(&moto.address)).build().unwrap();

    assert_eq!(read(&secrets, "app/key", None).await, canary(1));
    assert_eq!(read(&secrets, "aws/app/db", Some("user")).await, canary("u"));
    assert_eq!(read(&secrets, "app/db", Some("password")).await, canary("p"));
    assert_eq!(read(&secrets, "app/db", Some("port")).await, "5432");
    assert_eq!(read(&secrets, "app/db", None).await, object);
    assert_eq!(refused(&secrets, "app/db", Some("more")).await.0, ErrorKind::NotFound);
    assert_eq!(refused(&secrets, "bytes", None).await.0, ErrorKind::Invalid);
    let (kind, told) = refused(&secrets, "missing", None).await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(told.ends_with(" ResourceNotFoundException"), "{told}");

    let heard = Arc::new(Mutex::new(None));
    let hearing = Arc::clone(&heard);
    let subscription = secrets.on_rotation("app/key", None, move |rotation| {
        *hearing.lock().unwrap() = Some((rotation.old.clone(), rotation.new.clone()));
        Ok(())
    });
    moto.ask("PutSecretValue", json!({"SecretId": "app/key", "SecretString": canary(2)})).await;
    secrets.refresh_now().await;
    let heard = heard.lock().unwrap().take().unwrap();
    assert_eq!((&**heard.0.expose(), &**heard.1.expose()), (&*canary(1), &*canary(2)));
    drop(subscription);
}

/// Asks the service something as an administrator. Nobody checks the signature.
async fn ask(address: &str, action: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/x-amz-json-1.1\r\nx-amz-target: secretsmanager.{action}\r\n\
         authorization: AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/secretsmanager/\
         aws4_request, SignedHeaders=host, Signature=a\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let (head, body) = receive(&mut stream).await?;
    if head.contains(" 200 ") { Ok(body) } else { Err(io::Error::other(head + &body)) }
}
