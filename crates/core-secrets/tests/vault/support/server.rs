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
    /// Where it is spoken to in secret, beside the port that tests speak to.
    tls_port: Option<u16>,
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
        let (process, port, tls_port) = loop {
            let port = free_port();
            let tls_port = setup.tls.as_ref().map(|tls| (free_port(), tls));
            configure(folder.path(), port, tls_port);
            let mut process = run(folder.path());
            if is_up(&mut process, port).await {
                break (process, port, tls_port.map(|(port, _)| port));
            }
        };
        let (unseal_key, root_token) = (String::new(), String::new());
        let mut server = Self { process, folder, port, unseal_key, root_token, tls_port };
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
        match self.tls_port {
            Some(port) => format!("https://127.0.0.1:{port}"),
            None => format!("http://127.0.0.1:{}", self.port),
        }
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

    /// Another certificate and key, from the next start on.
    pub(crate) fn set_tls(&self, tls: &(String, String)) {
        write_tls(self.folder.path(), tls);
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

fn write_tls(folder: &Path, (certificate, key): &(String, String)) {
    std::fs::write(folder.join("certificate.pem"), certificate).unwrap();
    std::fs::write(folder.join("key.pem"), key).unwrap();
}

fn configure(folder: &Path, port: u16, tls: Option<(u16, &(String, String))>) {
    let plain = json!({ "address": format!("127.0.0.1:{port}"), "tls_disable": true });
    let mut listeners = vec![json!({ "tcp": plain })];
    if let Some((port, tls)) = tls {
        write_tls(folder, tls);
        listeners.push(json!({ "tcp": {
            "address": format!("127.0.0.1:{port}"),
            "tls_cert_file": folder.join("certificate.pem"),
            "tls_key_file": folder.join("key.pem"),
        } }));
    }
    let config = json!({
        "storage": { "file": { "path": folder.join("data") } },
        "listener": listeners,
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
