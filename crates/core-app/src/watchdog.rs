use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use core_log::Logging;

use crate::exit::CUT_SHORT;
use crate::outcome;

/// After the deadline the stop has this long to say so itself.
const MARGIN: Duration = Duration::from_millis(500);
/// The last line has this long to be written.
const FLUSH: Duration = Duration::from_millis(300);

/// Ends the process when the stop cannot: at the deadline, even if every runtime is stuck, and at
/// once when somebody forces it. A thread of its own that waits until then.
#[derive(Debug)]
pub(crate) struct Watchdog {
    commands: mpsc::Sender<Command>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    /// The stop has begun, and must be over by then.
    Arm(Instant),
    /// A second signal: end now.
    Force(u8),
    /// All is over.
    Disarm,
}

impl Watchdog {
    pub(crate) fn start(logging: Logging) -> std::io::Result<Self> {
        let (commands, receiver) = mpsc::channel();
        let thread =
            Builder::new().name("watchdog".into()).spawn(move || watch(&receiver, &logging))?;
        Ok(Self { commands, thread: Some(thread) })
    }

    /// What arms the watchdog and lets it loose, from anywhere.
    pub(crate) fn leash(&self) -> Leash {
        Leash(self.commands.clone())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // It may have ended the process already, in which case nobody reads this.
        let _ = self.commands.send(Command::Disarm);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Arms the [`Watchdog`].
#[derive(Clone, Debug)]
pub(crate) struct Leash(mpsc::Sender<Command>);

impl Leash {
    /// The process must be over at the deadline.
    pub(crate) fn arm(&self, left: Duration) {
        let _ = self.0.send(Command::Arm(Instant::now() + left));
    }

    /// The process ends now, by a second signal of this number.
    pub(crate) fn force(&self, signal: u8) {
        let _ = self.0.send(Command::Force(signal));
    }
}

fn watch(commands: &mpsc::Receiver<Command>, logging: &Logging) {
    let mut deadline: Option<Instant> = None;
    let mut armed_at = Instant::now();
    loop {
        let command = match deadline {
            Some(deadline) => {
                let left = (deadline + MARGIN).saturating_duration_since(Instant::now());
                commands.recv_timeout(left)
            }
            None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match command {
            Ok(Command::Arm(at)) => (deadline, armed_at) = (Some(at), Instant::now()),
            Ok(Command::Force(signal)) => end(logging, armed_at, "forced", 128 + signal),
            Err(RecvTimeoutError::Timeout) => end(logging, armed_at, "cut_short", CUT_SHORT),
            Ok(Command::Disarm) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// The last line, and the end.
#[expect(clippy::disallowed_methods, reason = "this is the watchdog")]
fn end(logging: &Logging, began: Instant, outcome: &str, code: u8) {
    logging.close_with(&outcome::cut(outcome, began.elapsed()), FLUSH);
    std::process::exit(code.into());
}
