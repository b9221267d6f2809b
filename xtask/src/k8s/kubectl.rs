//! The API server, asked by `kubectl`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::process::shown;

/// One cluster. The user's current context is neither used nor changed, unless it is named.
#[derive(Clone, Debug)]
pub(crate) struct Kubectl {
    program: PathBuf,
    /// What names the cluster: `--context NAME`, or `--kubeconfig FILE`.
    cluster: [String; 2],
}

impl Kubectl {
    pub(crate) fn of_context(program: PathBuf, context: &str) -> Self {
        Self { program, cluster: ["--context".into(), context.into()] }
    }

    pub(crate) fn of_file(program: PathBuf, kubeconfig: &Path) -> Self {
        Self { program, cluster: ["--kubeconfig".into(), kubeconfig.display().to_string()] }
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.cluster).args(arguments);
        command
    }

    /// Runs it, and returns what it printed on the standard output.
    pub(crate) fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        output(&mut self.command(arguments), "")
    }

    /// The same, with something on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> anyhow::Result<String> {
        output(&mut self.command(arguments), input)
    }

    /// Objects as they are now.
    pub(crate) fn get(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let text = self.run(&[&["get", "--output", "json"], arguments].concat())?;
        // Of many names none is there: then nothing is printed at all.
        if text.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }
}

/// Runs a program that prints its answer on the standard output, and its complaints on the other.
pub(crate) fn output(command: &mut Command, input: &str) -> anyhow::Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    let mut stdin = child.stdin.take().expect("it is piped");
    let output = thread::scope(|scope| {
        // One that has heard enough reads no further.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{} ended with {}\n{}", shown(command), output.status, said.trim_end());
    }
    Ok(String::from_utf8(output.stdout)?)
}
