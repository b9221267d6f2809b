//! What happens when somebody presses Ctrl-C: what is half done goes away.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Held while something must not be interrupted.
pub(crate) type Whole = Arc<Mutex<()>>;

/// From here on a signal ends the programs that were started, removes a folder, and ends this one.
pub(crate) fn removes(folder: PathBuf) -> anyhow::Result<Whole> {
    let whole = Whole::default();
    let held = Arc::clone(&whole);
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).context("cannot hear signals")?;
    let wait = move || {
        let Some(signal) = signals.forever().next() else { return };
        let _held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = std::fs::remove_dir_all(&folder);
        eprintln!("\nxtask: interrupted; nothing is left half-written");
        // Last, for the main thread waits for them, and would tell that they have failed.
        for child in children() {
            let _ = kill_process(child, Signal::TERM);
        }
        #[expect(clippy::disallowed_methods, reason = "the main thread waits for a program")]
        std::process::exit(128 + signal);
    };
    Builder::new().name("interrupt".into()).spawn(wait).context("cannot make a thread")?;
    Ok(whole)
}

/// The programs that this one has started and that still run.
fn children() -> Vec<Pid> {
    let mut children = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        let listed = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children
            .extend(listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)));
    }
    children
}
