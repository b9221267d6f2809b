use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use core_log::Logging;
use core_shutdown::{Signal, Signals};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::exit::CUT_SHORT;
use crate::{BoxError, outcome};

/// After the deadline the stop has this long to say so itself.
const MARGIN: Duration = Duration::from_millis(500);
/// The last line has this long to be written.
const FLUSH: Duration = Duration::from_millis(300);

/// Hears the signals, and ends the process when the stop cannot: at the deadline, even if every
/// runtime is stuck, and at once at the second signal. A thread with a runtime of its own, which
/// sleeps until then.
#[derive(Debug)]
pub(crate) struct Watchdog {
    commands: UnboundedSender<Command>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    /// The stop has begun, and must be over by then.
    Arm(Instant),
    /// All is over.
    Disarm,
}

impl Watchdog {
    /// Takes the signals over: those that ask for something come out of the channel.
    pub(crate) fn start(logging: Logging) -> Result<(Self, UnboundedReceiver<Signal>), BoxError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _inside = runtime.enter();
            Signals::listen()?
        };
        let (commands, receiver) = mpsc::unbounded_channel();
        let (asked, asks) = mpsc::unbounded_channel();
        let watch = watch(signals, receiver, asked, logging);
        let thread = std::thread::Builder::new()
            .name("watchdog".into())
            .spawn(move || runtime.block_on(watch))?;
        Ok((Self { commands, thread: Some(thread) }, asks))
    }

    /// What arms the watchdog, from anywhere.
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
pub(crate) struct Leash(UnboundedSender<Command>);

impl Leash {
    /// The process must be over at the deadline.
    pub(crate) fn arm(&self, left: Duration) {
        let _ = self.0.send(Command::Arm(Instant::now() + left));
    }
}

async fn watch(
    mut signals: Signals,
    mut commands: UnboundedReceiver<Command>,
    asked: UnboundedSender<Signal>,
    logging: Logging,
) {
    let mut first_signal = None;
    let mut armed: Option<Armed> = None;
    loop {
        tokio::select! {
            signal = signals.next() => {
                let is_stop = signal != Signal::Hangup;
                if is_stop && first_signal.replace(signal).is_some() {
                    let began = armed.map_or_else(Instant::now, |armed| armed.at);
                    end(&logging, began, "forced", 128 + signal.number());
                }
                if is_stop && armed.is_none() {
                    // Whoever is to begin the stop may be stuck: then this deadline counts.
                    armed = Some(Armed::now(core_shutdown::Config::default().timeout.get()));
                }
                // Without a receiver the service is at its end.
                let _ = asked.send(signal);
            }
            command = commands.recv() => match command {
                Some(Command::Arm(deadline)) => {
                    let at = armed.map_or_else(Instant::now, |armed| armed.at);
                    armed = Some(Armed { at, deadline });
                }
                Some(Command::Disarm) | None => return,
            },
            at = over(armed) => end(&logging, at, "cut_short", CUT_SHORT),
        }
    }
}

/// Since when, and until when.
#[derive(Clone, Copy)]
struct Armed {
    at: Instant,
    deadline: Instant,
}

impl Armed {
    fn now(left: Duration) -> Self {
        let at = Instant::now();
        Self { at, deadline: at + left }
    }
}

/// Waits for the deadline, if there is one; gives the time at which the stop had begun.
async fn over(armed: Option<Armed>) -> Instant {
    match armed {
        Some(Armed { at, deadline }) => {
            tokio::time::sleep_until((deadline + MARGIN).into()).await;
            at
        }
        None => std::future::pending().await,
    }
}

/// The last line, and the end.
#[expect(clippy::disallowed_methods, reason = "this is the watchdog")]
fn end(logging: &Logging, began: Instant, outcome: &str, code: u8) -> ! {
    logging.close_with(&outcome::cut(outcome, began.elapsed()), FLUSH);
    std::process::exit(code.into());
}
