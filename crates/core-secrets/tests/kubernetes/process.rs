//! A program that ends with the test that started it, however that ends.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

pub(crate) struct Process {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program whose output goes to a file. The system kills it when the thread that
    /// started it ends, so it gets a thread of its own.
    pub(crate) fn start(program: &Path, arguments: &[String], log: &Path) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(program).args(arguments);
        let log = File::options().create(true).append(true).open(log).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let (stop, stopped) = channel();
        let name = program.file_name().unwrap().to_string_lossy().into_owned();
        let thread = Builder::new().name(name).spawn(move || hold(command, &stopped)).unwrap();
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

fn hold(mut command: Command, stopped: &Receiver<()>) {
    let mut child = command.spawn().unwrap();
    // Nothing is ever sent: it waits for the sender to be dropped.
    let _ = stopped.recv();
    let _ = child.kill();
    child.wait().unwrap();
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
