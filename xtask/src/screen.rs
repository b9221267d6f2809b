//! What the person, or the log of CI, gets to see.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use crate::environment;

/// How a job ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With a note of what was done, such as a number of tests.
    Passed(String),
    /// With all that tells why.
    Failed(String),
    /// With the reason, and the command that gets what is missing.
    Skipped(String),
}

/// A job that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) name: &'static str,
    pub(crate) outcome: Outcome,
    pub(crate) took: Duration,
}

/// Standard output: a terminal, on which the job that runs is shown on one changing line, or a
/// pipe, which gets plain lines.
pub(crate) struct Screen {
    terminal: bool,
    colours: bool,
}

impl Screen {
    /// `changing` is false where output of other programs goes to the screen, too.
    pub(crate) fn new(changing: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self { terminal: terminal && changing, colours: terminal && !environment::plain() }
    }

    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// A job begins.
    pub(crate) fn start(&self, name: &str) {
        if self.terminal {
            change(&format!("running  {name}"));
        } else {
            println!("running  {name}");
        }
    }

    /// A part of the running job begins. On a terminal only: a log would drown in them.
    pub(crate) fn step(&self, what: &str) {
        if self.terminal {
            change(&format!("running  {what}"));
        }
    }

    /// Something takes longer than one would expect.
    pub(crate) fn note(&self, what: &str) {
        if self.terminal {
            change("");
        }
        println!("         {what}");
    }

    /// A job has ended.
    pub(crate) fn finish(&self, finished: &Finished) {
        if self.terminal {
            change("");
        }
        println!("{}", line(finished, self.colours));
        if let Outcome::Failed(why) = &finished.outcome {
            println!("\n{}\n", why.trim_end());
        }
    }

    /// All jobs have ended.
    pub(crate) fn summary(&self, all: &[Finished]) {
        if all.len() > 1 {
            println!();
            for finished in all {
                println!("{}", line(finished, self.colours));
            }
        }
        println!("\n{}", count(all));
    }
}

/// Replaces the changing line of a terminal.
fn change(text: &str) {
    let mut stdout = std::io::stdout();
    // A screen that cannot be written to has nobody in front of it.
    let _ = write!(stdout, "\r\x1b[2K{text}").and_then(|()| stdout.flush());
}

/// `passed   unit      84.1 s  1234 tests`
fn line(finished: &Finished, colours: bool) -> String {
    let (word, colour, note) = match &finished.outcome {
        Outcome::Passed(note) => ("passed", 32, note.as_str()),
        Outcome::Failed(_) => ("failed", 31, ""),
        Outcome::Skipped(why) => ("skipped", 33, why.as_str()),
    };
    let word = format!("{word:<7}");
    let word = if colours { format!("\x1b[{colour}m{word}\x1b[0m") } else { word };
    let took = finished.took.as_secs_f64();
    format!("{word}  {:<9} {took:>6.1} s  {note}", finished.name).trim_end().to_owned()
}

/// `5 passed, 0 failed, 1 skipped`
fn count(all: &[Finished]) -> String {
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for finished in all {
        match finished.outcome {
            Outcome::Passed(_) => passed += 1,
            Outcome::Failed(_) => failed += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    format!("{passed} passed, {failed} failed, {skipped} skipped")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(name: &'static str, outcome: Outcome) -> Finished {
        Finished { name, outcome, took: Duration::from_millis(84_120) }
    }

    #[test]
    fn a_line_tells_outcome_name_time_and_note() {
        let passed = finished("unit", Outcome::Passed("1234 tests".into()));
        assert_eq!(line(&passed, false), "passed   unit        84.1 s  1234 tests");
        let failed = finished("nats", Outcome::Failed("a long story".into()));
        assert_eq!(line(&failed, false), "failed   nats        84.1 s");
        assert_eq!(line(&failed, true), "\x1b[31mfailed \x1b[0m  nats        84.1 s");
    }

    #[test]
    fn the_last_line_counts() {
        let all = [
            finished("a", Outcome::Passed(String::new())),
            finished("b", Outcome::Skipped("no tool".into())),
            finished("c", Outcome::Passed(String::new())),
        ];
        assert_eq!(count(&all), "2 passed, 0 failed, 1 skipped");
    }
}
