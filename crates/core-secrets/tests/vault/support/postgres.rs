use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::canary::canary;

use super::process::{Process, free_port};
use super::{Server, until};

/// Whoever may not be root is this, on every Linux.
const NOBODY: u32 = 65534;

/// Of the superuser.
fn password() -> String {
    canary("of-the-superuser")
}

/// A PostgreSQL, with its data in a folder, on a port of its own. Ends when dropped.
pub(crate) struct Postgres {
    _process: Process,
    port: u16,
    _folder: TempDir,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = TempDir::with_prefix("core-secrets-postgres-").unwrap();
        let data = folder.path().join("data");
        let path = folder.path().join("password");
        std::fs::write(&path, password()).unwrap();
        let is_root = std::fs::metadata(folder.path())
            .is_ok_and(|of| std::os::unix::fs::MetadataExt::uid(&of) == 0);
        if is_root {
            for path in [folder.path(), &path] {
                std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let mut initdb = command(is_root);
        initdb.arg(program("initdb")).arg("-D").arg(&data).arg("--pwfile").arg(&path);
        initdb.args(["-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C"]);
        let made = initdb.args(["-A", "scram-sha-256"]).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        loop {
            let port = free_port();
            let mut process = run(&data, port, is_root);
            let mut is_up = false;
            until("it is up, or has ended", async || {
                is_up = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
                is_up || process.has_ended()
            })
            .await;
            if is_up {
                return Self { _process: process, port, _folder: folder };
            }
        }
    }

    /// How a user gets in.
    pub(crate) fn settings(&self, user: &str, password: &str) -> tokio_postgres::Config {
        let mut settings = tokio_postgres::Config::new();
        settings.host("127.0.0.1").port(self.port).dbname("postgres");
        settings.user(user).password(password);
        settings
    }

    /// Whether a user gets in.
    pub(crate) async fn admits(&self, user: &str, password: &str) -> bool {
        self.settings(user, password).connect(tokio_postgres::NoTls).await.is_ok()
    }

    /// As the one who may do anything.
    pub(crate) async fn superuser(
        &self,
    ) -> (tokio_postgres::Client, impl Future<Output = Result<(), tokio_postgres::Error>> + use<>)
    {
        let settings = self.settings("postgres", &password());
        settings.connect(tokio_postgres::NoTls).await.unwrap()
    }

    /// Lets a Vault make its users, each of which lives so long. One that is taken back loses its
    /// connections at once: whoever still uses them is found out.
    pub(crate) async fn lend_by(&self, vault: &Server, lives: &str, at_most: &str) {
        let url = format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        );
        vault.ask("POST", "sys/mounts/database", &json!({ "type": "database" })).await;
        let connection = json!({
            "plugin_name": "postgresql-database-plugin",
            "allowed_roles": "*",
            "connection_url": url,
            "username": "postgres",
            "password": password(),
        });
        // It takes connections a moment before it lets anybody in.
        until("Vault gets in", async || {
            vault.try_ask("POST", "database/config/app", &connection).await.0 < 300
        })
        .await;
        let role = json!({
            "db_name": "app",
            "default_ttl": lives,
            "max_ttl": at_most,
            "creation_statements": ["CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}'"],
            "revocation_statements": [
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'",
                "DROP ROLE IF EXISTS \"{{name}}\"",
            ],
        });
        vault.ask("POST", "database/roles/app", &role).await;
    }
}

/// PostgreSQL refuses to run as root.
fn command(is_root: bool) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg("--").current_dir("/");
    command
}

fn run(data: &Path, port: u16, is_root: bool) -> Process {
    let mut command = command(is_root);
    command.arg(program("postgres")).arg("-D").arg(data).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
        command.args(["-c", setting]);
    }
    Process::of(command)
}

/// On the path, or where Debian has it.
fn program(name: &str) -> std::path::PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|program| program.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}
