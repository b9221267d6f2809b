//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, PipeReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// As many words of a command are shown: more than any has that is not given a list of files.
const LONG: usize = 30;

/// A program that prints nothing for so long hangs. Longer than anything is built in silence.
const SILENCE: Duration = Duration::from_secs(900);

/// Starts a program whose lines, of both streams in the order of printing, can be received. They end
/// when nobody is left who could print more.
pub(crate) fn start(command: &mut Command) -> anyhow::Result<(Child, Receiver<String>)> {
    let (reader, writer) = std::io::pipe().context("cannot make a pipe")?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let child = command.spawn().with_context(|| format!("cannot start {}", shown(command)))?;
    // The command holds the pipe's writing end; as long as it does, the lines do not end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, lines) = channel();
    let read = move || read(reader, &sender);
    Builder::new().name("output".into()).spawn(read).context("cannot make a thread")?;
    Ok((child, lines))
}

fn read(reader: PipeReader, sender: &Sender<String>) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // Nobody may be listening any more; the pipe is to be emptied all the same.
        let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        line.clear();
    }
}

/// Runs a program to its end and returns what it printed, which is also handed on line by line.
pub(crate) fn run(command: &mut Command, on_line: impl FnMut(&str)) -> anyhow::Result<String> {
    run_within(SILENCE, command, on_line)
}

fn run_within(
    silence: Duration,
    command: &mut Command,
    mut on_line: impl FnMut(&str),
) -> anyhow::Result<String> {
    let (mut child, lines) = start(command)?;
    let mut output = String::new();
    loop {
        match lines.recv_timeout(silence) {
            Ok(line) => {
                on_line(&line);
                output.push_str(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill()?;
                bail!(
                    "{} printed nothing for {silence:?}, and was given up\n{output}",
                    shown(command)
                );
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}\n{output}", shown(command));
    }
    Ok(output)
}

/// A command as one would type it, as far as one would read it.
pub(crate) fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let mut words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    if words.len() > LONG {
        words.truncate(LONG);
        words.push("…".into());
    }
    format!("`{}`", words.join(" "))
}

/// This program, to be run again. What suites build may replace its file while it runs: then it is the
/// new one.
pub(crate) fn itself() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe().context("cannot find this program")?;
    // Linux says so of a file that has been replaced.
    let replaced = path.to_str().and_then(|path| path.strip_suffix(" (deleted)"));
    Ok(replaced.map_or(path.clone(), PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bash(script: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_kept_in_order() {
        let mut lines = 0;
        let output = run(&mut bash("echo a; echo b >&2; echo c"), |_| lines += 1).unwrap();
        assert_eq!(output, "a\nb\nc\n");
        assert_eq!(lines, 3);
    }

    #[test]
    fn a_failure_tells_the_command_the_status_and_the_output() {
        let error = run(&mut bash("echo why; exit 3"), |_| {}).unwrap_err().to_string();
        assert_eq!(error, "`bash -c echo why; exit 3` ended with exit status: 3\nwhy\n");
    }

    #[test]
    fn a_program_that_hangs_is_given_up() {
        let silence = Duration::from_millis(500);
        let error = run_within(silence, &mut bash("echo a; exec sleep 1000"), |_| {}).unwrap_err();
        let expected =
            "`bash -c echo a; exec sleep 1000` printed nothing for 500ms, and was given up\na\n";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_long_command_is_cut() {
        let mut command = Command::new("a");
        assert_eq!(shown(command.args(["b"; 29])), format!("`a{}`", " b".repeat(29)));
        assert_eq!(shown(command.arg("c")), format!("`a{} …`", " b".repeat(29)));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program"), |_| {}).unwrap_err().to_string();
        assert_eq!(error, "cannot start `no-such-program`");
    }
}
