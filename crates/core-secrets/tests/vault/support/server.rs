use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::http;
use super::process::{Process, free_port};
use super::until;

/// A Vault, with its data in a folder, on a port of its own. Ends when dropped.
pub(crate) struct Server {
    process: Process,
    folder: TempDir,
    port: u16,
    unseal_key: String,
    root_token: String,
    scheme: &'static str,
}

/// What is unlike an ordinary server.
#[derive(Default)]
pub(crate) struct Setup {
    /// A certificate and its key, as PEM.
    pub(crate) tls: Option<(String, String)>,
}

impl Server {
    /// A server that is set up and open, with a KV engine of version 2 at `secret`.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    pub(crate) async fn start_with(setup: Setup) -> Self {
        let folder = TempDir::with_prefix("core-secrets-vault-").unwrap();
        let (process, port) = loop {
            let port = free_port();
            configure(folder.path(), port, &setup);
            let mut process = run(folder.path());
            if is_up(&mut process, port).await {
                break (process, port);
            }
        };
        let scheme = if setup.tls.is_some() { "https" } else { "http" };
        let (unseal_key, root_token) = (String::new(), String::new());
        let mut server = Self { process, folder, port, unseal_key, root_token, scheme };
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let set_up = server.ask("PUT", "sys/init", &shares).await;
        server.unseal_key = set_up["keys_base64"][0].as_str().unwrap().into();
        server.root_token = set_up["root_token"].as_str().unwrap().into();
        server.unseal().await;
        let engine = json!({ "type": "kv", "options": { "version": "2" } });
        server.ask("POST", "sys/mounts/secret", &engine).await;
        until("the engine is upgraded", async || {
            let (status, _) = server.try_ask("GET", "secret/config", &Value::Null).await;
            status == 200
        })
        .await;
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn root_token(&self) -> &str {
        &self.root_token
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn unseal(&self) {
        self.ask("PUT", "sys/unseal", &json!({ "key": self.unseal_key })).await;
        until("it is open", async || {
            self.try_ask("GET", "sys/health", &Value::Null).await.0 == 200
        })
        .await;
    }

    /// Says something that must succeed, as root.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_ask(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn try_ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        http::request(self.port, method, path, &self.root_token, body).await.unwrap()
    }

    /// Stores a secret in the KV engine at `secret`.
    pub(crate) async fn put(&self, path: &str, data: &Value) {
        self.ask("POST", &format!("secret/data/{path}"), &json!({ "data": data })).await;
    }

    pub(crate) fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Kills it as a power failure would.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again with what it had stored.
    pub(crate) async fn start_again(&mut self) {
        self.process = run(self.folder.path());
        assert!(is_up(&mut self.process, self.port).await, "it ran before");
        self.unseal().await;
    }
}

fn configure(folder: &Path, port: u16, setup: &Setup) {
    let mut listener = json!({ "address": format!("127.0.0.1:{port}") });
    match &setup.tls {
        Some((certificate, key)) => {
            std::fs::write(folder.join("certificate.pem"), certificate).unwrap();
            std::fs::write(folder.join("key.pem"), key).unwrap();
            listener["tls_cert_file"] = json!(folder.join("certificate.pem"));
            listener["tls_key_file"] = json!(folder.join("key.pem"));
        }
        None => listener["tls_disable"] = json!(true),
    }
    let config = json!({
        "storage": { "file": { "path": folder.join("data") } },
        "listener": [{ "tcp": listener }],
        "disable_mlock": true,
        "api_addr": format!("http://127.0.0.1:{port}"),
    });
    std::fs::write(folder.join("vault.json"), config.to_string()).unwrap();
}

fn run(folder: &Path) -> Process {
    Process::start(program(), |command| {
        command.arg("server").arg("-config").arg(folder.join("vault.json"));
    })
}

#[expect(clippy::disallowed_methods, reason = "no setting says where a test's server is")]
fn program() -> std::ffi::OsString {
    std::env::var_os("VAULT_BIN").unwrap_or_else(|| "vault".into())
}

/// Waits until it can be connected to; not, if it ends before, as it does when its port is taken.
async fn is_up(process: &mut Process, port: u16) -> bool {
    let mut is_up = false;
    until("it is up, or has ended", async || {
        is_up = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        is_up || process.has_ended()
    })
    .await;
    is_up
}
