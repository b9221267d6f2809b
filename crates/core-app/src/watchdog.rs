use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use core_log::Logging;
use core_shutdown::{Signal, Signals, StepReport};
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
    Arm { deadline: Instant, reason: String },
    /// So long a stop may take, of which nobody but a signal has told.
    Budget(Duration),
    /// A step of the stop has ended.
    Ended(StepReport),
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
    pub(crate) fn arm(&self, left: Duration, reason: String) {
        let _ = self.0.send(Command::Arm { deadline: Instant::now() + left, reason });
    }

    /// Says how long any stop may take.
    pub(crate) fn budget(&self, timeout: Duration) {
        let _ = self.0.send(Command::Budget(timeout));
    }

    /// All is over: from now on a signal changes nothing.
    pub(crate) fn disarm(&self) {
        let _ = self.0.send(Command::Disarm);
    }

    /// What had ended is told if the process is cut off.
    pub(crate) fn ended(&self, step: &StepReport) {
        let _ = self.0.send(Command::Ended(step.clone()));
    }
}

async fn watch(
    mut signals: Signals,
    mut commands: UnboundedReceiver<Command>,
    asked: UnboundedSender<Signal>,
    logging: Logging,
) {
    let mut first_signal = None;
    let mut budget = core_shutdown::Config::default().timeout.get();
    let mut stop: Option<Stop> = None;
    loop {
        tokio::select! {
            biased;
            command = commands.recv() => match (command, &mut stop) {
                (Some(Command::Arm { deadline, reason }), stop) => {
                    let began = stop.as_ref().map_or_else(Instant::now, |stop| stop.began);
                    *stop = Some(Stop { began, deadline, reason, steps: Vec::new() });
                }
                (Some(Command::Budget(timeout)), _) => budget = timeout,
                (Some(Command::Ended(step)), Some(stop)) => stop.steps.push(step),
                (Some(Command::Ended(_)), None) => {}
                (Some(Command::Disarm) | None, _) => return,
            },
            signal = signals.next() => {
                if signal != Signal::Hangup {
                    // Whoever is to begin the stop may be stuck: then this deadline counts.
                    let stop = stop.get_or_insert_with(|| Stop::by(signal, budget));
                    if first_signal.replace(signal).is_some() {
                        end(&logging, stop, "forced", 128 + signal.number());
                    }
                }
                // Without a receiver the service is at its end.
                let _ = asked.send(signal);
            }
            stop = over(stop.as_ref()) => end(&logging, stop, "cut_short", CUT_SHORT),
        }
    }
}

/// A stop as far as it is known here.
struct Stop {
    began: Instant,
    deadline: Instant,
    reason: String,
    steps: Vec<StepReport>,
}

impl Stop {
    /// Of which nobody has told but a signal.
    fn by(signal: Signal, budget: Duration) -> Self {
        let began = Instant::now();
        let deadline = began + budget;
        Self { began, deadline, reason: signal.as_str().into(), steps: Vec::new() }
    }
}

/// Waits until a stop, if there is one, should be over.
async fn over(stop: Option<&Stop>) -> &Stop {
    match stop {
        Some(stop) => {
            tokio::time::sleep_until((stop.deadline + MARGIN).into()).await;
            stop
        }
        None => std::future::pending().await,
    }
}

/// The last line, and the end.
#[expect(clippy::disallowed_methods, reason = "this is the watchdog")]
fn end(logging: &Logging, stop: &Stop, outcome: &str, code: u8) -> ! {
    let line = outcome::cut(outcome, stop.began.elapsed(), &stop.reason, &stop.steps);
    logging.close_with(&line, FLUSH);
    std::process::exit(code.into());
}
