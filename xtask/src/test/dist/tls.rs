//! TLS from within the image: a real NATS server is trusted by what lies where the image has its
//! certificates, and by nothing else.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use super::Shipped;
use super::engine::{self, Engine};
use super::service::{self, WITHOUT_RIGHTS};
use crate::context::Context;
use crate::drain::replica::free_address;
use crate::process;

/// Where the image has its certificates.
const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";

pub(super) fn check(
    context: &Context,
    engine: &Engine,
    shipped: &Shipped,
    folder: &Path,
) -> anyhow::Result<()> {
    context.step("dist: TLS");
    let bundle = fs::read_to_string(folder.join("bundle/rootfs").join(BUNDLE))?;
    readable(folder)?;
    let folder = folder.join("tls");
    fs::create_dir_all(&folder)?;
    let gateway = "{{range .IPAM.Config}}{{.Gateway}}{{end}}";
    let host = engine.docker(&["network", "inspect", "--format", gateway, "net"])?;
    let port = free_address().port();
    let authority = certificates(&folder, &host)?;
    let _server = Nats::start(engine, &folder, &host, port)?;

    let image = shipped.image("reference");
    let url = format!("MIRA_BROKER_NATS_URL=tls://{host}:{port}");
    let broker = ["--network", "net", "--env", "MIRA_BROKER_KIND=nats", "--env", &url];
    let ended = engine.docker(&[&["run", "--rm"][..], WITHOUT_RIGHTS, &broker, &[image]].concat());
    let Err(error) = ended else { bail!("it trusts a server that nobody has vouched for") };
    ensure!(error.to_string().contains("UnknownIssuer"), "it does not trust, but because: {error}");

    let more = folder.join("bundle.crt");
    fs::write(&more, bundle + &authority)?;
    let mount = format!("{}:/{BUNDLE}:ro", more.display());
    let options = [&broker[..], &["--volume", &mount]].concat();
    service::run(engine, "tls", image, &options, &[])?;
    engine.wait("tls", "{{.State.Health.Status}}", "healthy")?;
    service::stops(engine, "tls")
}

/// All certificates of the bundle are well-formed, by the judgement of OpenSSL.
fn readable(folder: &Path) -> anyhow::Result<()> {
    let bundle = folder.join("bundle/rootfs").join(BUNDLE);
    let mut openssl = Command::new("openssl");
    openssl.args(["storeutl", "-noout", "-certs"]).arg(&bundle);
    let said = process::run(&mut openssl, |_| {})?;
    let begun = fs::read_to_string(&bundle)?.matches("BEGIN CERTIFICATE").count();
    ensure!(said.contains(&format!("Total found: {begun}")), "openssl says: {said}");
    Ok(())
}

/// Makes a server's certificate, and returns that of the authority which vouches for it.
fn certificates(folder: &Path, host: &str) -> anyhow::Result<String> {
    let openssl = |arguments: &str| {
        let mut openssl = Command::new("openssl");
        process::run(openssl.current_dir(folder).args(arguments.split(' ')), |_| {})
    };
    let key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("{key} -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.crt"))?;
    openssl(&format!("{key} -subj /CN=server -keyout server.key -out server.csr"))?;
    fs::write(folder.join("names"), format!("subjectAltName=IP:{host}\n"))?;
    let sign = "x509 -req -days 2 -CA ca.crt -CAkey ca.key -CAcreateserial -extfile names";
    openssl(&format!("{sign} -in server.csr -out server.crt"))?;
    fs::read_to_string(folder.join("ca.crt")).context("openssl has made no certificate")
}

struct Nats(Child);

impl Nats {
    fn start(engine: &Engine, folder: &Path, host: &str, port: u16) -> anyhow::Result<Self> {
        let at = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "host: \"{host}\"\nport: {port}\njetstream {{ store_dir: \"{}\" }}\n\
             tls {{ cert_file: \"{}\", key_file: \"{}\" }}\n",
            at("store"),
            at("server.crt"),
            at("server.key"),
        );
        fs::write(folder.join("nats.conf"), config)?;
        let log = fs::File::create(folder.join("log"))?;
        let inside = engine.inside("nats-server");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(inside.get_program()).args(inside.get_args());
        command.arg("--config").arg(folder.join("nats.conf"));
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let server = Self(command.spawn().context("cannot start nats-server")?);
        engine::until("nats-server listens", || {
            let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
            said.contains("Server is ready")
        })?;
        Ok(server)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
