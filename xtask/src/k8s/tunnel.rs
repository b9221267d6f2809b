//! Ways into the cluster that any provider has: the API server's own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::NAMESPACE;
use super::kubectl::{Kubectl, output};

/// A `kubectl` that passes on what is sent to a port of this machine. It ends with this value.
pub(crate) struct Tunnel {
    child: Child,
    /// It goes on printing, and ends when nobody could read it.
    _output: BufReader<ChildStdout>,
    /// What every URL begins with.
    base: String,
}

/// An answer: its status, and what it says.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Tunnel {
    /// To a Service: each request goes to one of the pods that are ready.
    pub(crate) fn to_service(kubectl: &Kubectl, service: &str) -> anyhow::Result<Self> {
        let (child, output, address) = start(kubectl, &["proxy", "--port", "0"])?;
        let base =
            format!("http://{address}/api/v1/namespaces/{NAMESPACE}/services/{service}/proxy");
        Ok(Self { child, _output: output, base })
    }

    /// To a port of one pod, with all headers of a request.
    pub(crate) fn to_pod(kubectl: &Kubectl, pod: &str, port: u16) -> anyhow::Result<Self> {
        let port = format!(":{port}");
        let forward = ["port-forward", "--namespace", NAMESPACE, pod, &port];
        let (child, output, address) = start(kubectl, &forward)?;
        Ok(Self { child, _output: output, base: format!("http://{address}") })
    }

    /// Asks. `headers` are lines such as `Accept: text/plain`.
    pub(crate) fn ask(
        &self,
        path: &str,
        headers: &[&str],
        body: Option<&Value>,
    ) -> anyhow::Result<Answer> {
        let url = format!("{}{path}", self.base);
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--max-time",
            "20",
            "--write-out",
            "\n%{http_code}",
        ]);
        for header in headers {
            command.args(["--header", header]);
        }
        if body.is_some() {
            command.args(["--header", "Content-Type: application/json", "--data-binary", "@-"]);
        }
        let said = output(command.arg(url), &body.map(Value::to_string).unwrap_or_default())?;
        let (text, status) = said.rsplit_once('\n').context("curl says no status")?;
        Ok(Answer { status: status.parse()?, text: text.into() })
    }
}

fn start(
    kubectl: &Kubectl,
    arguments: &[&str],
) -> anyhow::Result<(Child, BufReader<ChildStdout>, String)> {
    let mut command = kubectl.command(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().context("cannot start kubectl")?;
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
    output.read_line(&mut line)?;
    let address = line.split_whitespace().find(|word| word.starts_with("127.0.0.1:"));
    let address = address.map(str::to_owned);
    ensure!(address.is_some(), "kubectl {} does not start: {line}", arguments.join(" "));
    Ok((child, output, address.unwrap_or_default()))
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
