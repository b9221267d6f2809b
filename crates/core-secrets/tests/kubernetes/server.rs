//! A real API server with its etcd, on free loopback ports, in a folder of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use tempfile::TempDir;

use super::canary::canary;
use super::cluster::Cluster;
use super::process::Process;
use super::support::eventually;

/// The token of somebody who may do everything.
pub(crate) fn admin() -> String {
    canary("admin")
}
const ISSUER: &str = "https://kubernetes.default.svc";

pub(crate) struct Server {
    programs: PathBuf,
    port: u16,
    etcd_port: u16,
    api: Mutex<Option<Process>>,
    _etcd: Process,
    // Goes last, when nobody writes into it any more.
    folder: TempDir,
}

impl Server {
    /// The server that tests share. It ends with the last of them.
    pub(crate) async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<Server>> =
            tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&server);
        server
    }

    pub(crate) async fn start() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the field's convention for such tests")]
        let programs = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let programs = programs.expect("KUBEBUILDER_ASSETS; `cargo xtask test secrets` sets it");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        std::fs::write(
            folder.path().join("tokens.csv"),
            format!("{},admin,1,system:masters\n", admin()),
        )
        .unwrap();
        openssl(folder.path(), &["genrsa", "-out", "sa.key", "2048"], b"");
        let [port, etcd_port, peer_port] = free_ports();
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let etcd = Process::start(
            &programs.join("etcd"),
            &[
                format!("--data-dir={}", folder.path().join("etcd").display()),
                "--unsafe-no-fsync".into(),
                format!("--listen-client-urls={}", at(etcd_port)),
                format!("--advertise-client-urls={}", at(etcd_port)),
                format!("--listen-peer-urls={}", at(peer_port)),
                format!("--initial-advertise-peer-urls={}", at(peer_port)),
                format!("--initial-cluster=default={}", at(peer_port)),
            ],
            &folder.path().join("etcd.log"),
        );
        let server = Self { programs, port, etcd_port, api: Mutex::default(), _etcd: etcd, folder };
        server.up().await;
        server
    }

    /// Starts the API server, and waits until it answers.
    pub(crate) async fn up(&self) {
        let file = |name: &str| self.path().join(name).display().to_string();
        let process = Process::start(
            &self.programs.join("kube-apiserver"),
            &[
                format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
                "--bind-address=127.0.0.1".into(),
                "--advertise-address=127.0.0.1".into(),
                format!("--secure-port={}", self.port),
                format!("--cert-dir={}", file("certificates")),
                "--service-cluster-ip-range=10.0.0.0/24".into(),
                "--authorization-mode=RBAC".into(),
                format!("--token-auth-file={}", file("tokens.csv")),
                format!("--service-account-issuer={ISSUER}"),
                format!("--service-account-key-file={}", file("sa.key")),
                format!("--service-account-signing-key-file={}", file("sa.key")),
                "--disable-admission-plugins=ServiceAccount".into(),
            ],
            &self.path().join("kube-apiserver.log"),
        );
        *self.api.lock().unwrap() = Some(process);
        let certificate = self.certificate();
        eventually(Duration::from_secs(60), || async { certificate.is_file() }).await;
        let cluster = Cluster::of(self);
        let limit = Duration::from_secs(60);
        eventually(limit, || async { cluster.get("/readyz").await.is_ok() }).await;
    }

    /// Kills it.
    pub(crate) fn down(&self) {
        self.api.lock().unwrap().take();
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// What the server shows, signed by itself.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.path().join("certificates/apiserver.crt")
    }

    /// Writes a kubeconfig whose user is what the given line of YAML says.
    pub(crate) fn kubeconfig(&self, name: &str, user: &str) -> PathBuf {
        let path = self.path().join(name);
        let certificate = self.certificate();
        let cluster = format!(
            "{{server: '{}', certificate-authority: '{}'}}",
            self.url(),
            certificate.display()
        );
        write_kubeconfig(&path, &cluster, user);
        path
    }

    /// A service account's token that this server's own key has signed.
    pub(crate) fn sign(&self, claims: &serde_json::Value) -> String {
        let mut claims = claims.clone();
        claims["iss"] = ISSUER.into();
        claims["aud"] = [ISSUER].as_slice().into();
        let header = serde_json::json!({"alg": "RS256", "typ": "JWT"});
        let part = |value: &serde_json::Value| self.base64(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let arguments = ["dgst", "-sha256", "-sign", "sa.key", "-binary"];
        let signature = openssl(self.path(), &arguments, signed.as_bytes());
        format!("{signed}.{}", self.base64(&signature))
    }

    /// In the alphabet of tokens, without the filling.
    fn base64(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(openssl(self.path(), &["base64", "-A"], bytes)).unwrap();
        text.trim_end_matches('=').replace('+', "-").replace('/', "_")
    }
}

pub(crate) fn write_kubeconfig(path: &Path, cluster: &str, user: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {cluster}}}]\n\
         users: [{{name: test, user: {user}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n"
    );
    // As a whole: tests that share a server write the same file, while others read it.
    let file = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    file.persist(path).unwrap();
}

fn openssl(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut command = Command::new("openssl");
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Held all at once, so that they differ.
fn free_ports<const N: usize>() -> [u16; N] {
    let held = [(); N].map(|()| TcpListener::bind(("127.0.0.1", 0)).unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}
