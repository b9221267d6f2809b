//! Ctrl-C, whenever it comes (K8S-6).

use std::os::unix::process::CommandExt as _;

use anyhow::ensure;
use rustix::process::{Pid, Signal, kill_process_group};

use super::stage::Stage;
use super::teardown::{Snapshot, clean};

/// Those in which something is changed on the cluster.
const PHASES: &[&str] = &["load", "apply", "ready", "smoke"];

pub(super) fn in_any_phase(stage: &Stage<'_>, before: &Snapshot) -> anyhow::Result<()> {
    for phase in PHASES {
        stage.context.step(&format!("k8s: Ctrl-C while it says {phase}"));
        let mut command = stage.command("k8s-up", &[])?;
        // A terminal sends it to the whole group.
        let (mut child, lines) = crate::process::start(command.process_group(0))?;
        let mut told = String::new();
        for line in lines {
            if line.starts_with(&format!("running  {phase}")) {
                kill_process_group(Pid::from_child(&child), Signal::INT)?;
            }
            told.push_str(&line);
        }
        let status = child.wait()?;
        ensure!(!status.success() && !told.contains(&format!("passed   {phase}")), "{told}");
        clean(stage, before)?;
    }
    Ok(())
}
