//! Running a page's blocks in order.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::output;
use super::page::Block;
use super::service::Service;
use crate::environment;

/// The addresses that pages name: of the app and of ops.
const ADDRESSES: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:9090"];

/// The services that pages start, as their variables begin. They get free ports, so that pages can be
/// tested beside whatever runs already.
const SERVICES: &[&str] = &["MIRA", "MINIMAL"];

const FREE_PORT: &str = "127.0.0.1:0";

/// Longer than any block needs, compiling included. In seconds.
const LIMIT: &str = "600";

/// Where blocks are run.
pub(crate) struct Shell {
    root: PathBuf,
    path: OsString,
    /// The program that is started where a page does not say how.
    start: String,
}

impl Shell {
    /// `programs` is the folder in which `mira` lies.
    pub(crate) fn new(root: &Path, programs: &Path) -> Self {
        let path = std::iter::once(programs.to_owned()).chain(environment::path());
        let path = std::env::join_paths(path).expect("they came from a PATH");
        Self { root: root.to_owned(), path, start: "mira".into() }
    }

    pub(crate) fn page(&self) -> Page<'_> {
        Page { shell: self, service: None, exports: Vec::new(), printed: None }
    }
}

/// A page that is being run.
pub(crate) struct Page<'s> {
    shell: &'s Shell,
    service: Option<Service>,
    exports: Vec<(String, String)>,
    /// What the last block printed.
    printed: Option<String>,
}

impl Page<'_> {
    pub(crate) fn block(&mut self, block: &Block) -> anyhow::Result<()> {
        match block.language.as_str() {
            _ if block.is_marked("output") => self.compare(&block.text),
            "sh" if block.is_marked("manual") => print(self.bash(&["-n", "-c", &block.text])),
            "sh" if block.is_marked("export") => {
                self.exports.extend(block.exports()?);
                Ok(String::new())
            }
            "sh" if block.is_marked("service") => self.start(&block.text),
            "sh" => self.run(&block.text),
            language if block.is_marked("mira") => self.check_config(language, &block.text),
            _ => Ok(String::new()),
        }
        .map(|printed| self.printed = Some(printed))
    }

    /// Stops the page's service, if it had one.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.service.take().map_or(Ok(()), Service::stop)
    }

    /// Bash in the root of the repository, with `mira` on its path.
    fn bash(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--kill-after=5", LIMIT, "bash", "-eu"]).args(arguments);
        self.equip(&mut command);
        command
    }

    /// Gives a command what the page's reader has: none of the caller's settings, and what the page
    /// has exported.
    fn equip(&self, command: &mut Command) {
        for name in environment::names("MIRA_") {
            command.env_remove(name);
        }
        command.current_dir(&self.shell.root).env("PATH", &self.shell.path).stdin(Stdio::null());
        command.envs(self.exports.iter().map(|(name, value)| (name, value)));
    }

    fn run(&mut self, script: &str) -> anyhow::Result<String> {
        if self.service.is_none() && ADDRESSES.iter().any(|address| script.contains(address)) {
            self.start(&self.shell.start)?;
        }
        let real = self.service.as_ref().map_or(ADDRESSES, Service::addresses);
        let printed = print(self.bash(&["-c", &replace(script, &ADDRESSES, &real)]))?;
        Ok(replace(&printed, &real, &ADDRESSES))
    }

    /// Starts a service by a command; the one from before is stopped first.
    fn start(&mut self, script: &str) -> anyhow::Result<String> {
        self.service.take().map_or(Ok(()), Service::stop)?;
        let mut command = Command::new("bash");
        command.args(["-eu", "-c", script]);
        self.equip(&mut command);
        for name in SERVICES {
            command.env(format!("{name}_SERVER_BIND_ADDRESS"), FREE_PORT);
            command.env(format!("{name}_OPS_BIND_ADDRESS"), FREE_PORT);
        }
        self.service = Some(Service::start(&mut command)?);
        Ok(String::new())
    }

    fn compare(&self, expected: &str) -> anyhow::Result<String> {
        let printed = self.printed.as_deref().context("nothing was run before")?;
        output::compare(expected, printed)?;
        Ok(printed.to_owned())
    }

    fn check_config(&self, language: &str, text: &str) -> anyhow::Result<String> {
        let file =
            std::env::temp_dir().join(format!("mira-docs-{}.{language}", std::process::id()));
        fs::write(&file, text).context("cannot write the configuration")?;
        let mut mira = Command::new("mira");
        self.equip(mira.args(["--check-config", "--config"]).arg(&file));
        let checked = print(mira);
        fs::remove_file(&file).context("cannot take the configuration away")?;
        checked
    }
}

/// Runs a command and returns its standard output. Failure tells all that it printed.
fn print(mut command: Command) -> anyhow::Result<String> {
    let output = command.output().context("cannot start it")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        bail!("ended with {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    }
    Ok(text(&output.stdout))
}

fn replace(text: &str, from: &[&str; 2], to: &[&str; 2]) -> String {
    let pairs = from.iter().zip(to);
    pairs.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use super::super::page::blocks;
    use super::*;

    /// Runs a page, with `start` as the program that stands for Mira.
    fn run(page: &str, start: &str) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let mut shell = Shell::new(folder.path(), folder.path());
        start.clone_into(&mut shell.start);
        let mut page_of = shell.page();
        for block in blocks(page)? {
            page_of.block(&block).with_context(|| block.line.to_string())?;
        }
        page_of.end()
    }

    #[track_caller]
    fn check(page: &str, fails: Option<&str>) {
        let error = run(page, "exit 9").err().map(|error| format!("{error:#}"));
        match fails {
            None => assert_eq!(error, None),
            Some(expected) => assert_eq!(error.expect("it passed"), expected),
        }
    }

    #[test]
    fn blocks_run_in_order_in_one_folder() {
        check("```sh\necho 1 > a\n```\n```sh\ncat a\n```\n```text output\n1\n```\n", None);
    }

    #[test]
    fn a_block_that_fails_is_shown_with_its_line_and_output() {
        check("\n```sh\necho a; false; echo b\n```\n", Some("2: ended with exit status: 1\na\n"));
        let unset = run("```sh\necho $nothing\n```\n", "").unwrap_err();
        assert!(format!("{unset:#}").contains("unbound variable"));
    }

    #[test]
    fn output_that_differs_fails() {
        check(
            "```sh\necho a\n```\n```text output\nb\n```\n",
            Some("4: the page says\nb\nbut this was printed:\na"),
        );
    }

    #[test]
    fn exports_hold_for_the_page_and_its_service() {
        check("```sh export\nexport A=b\n```\n```sh\necho $A\n```\n```text output\nb\n```\n", None);
        let page = format!(
            "```sh export\nexport A=b\n```\n```sh service\n[ $A = b ]; {}\n```\n",
            fake(&server(), 0)
        );
        run(&page, "exit 9").unwrap();
        let unset = run("```sh\necho $MIRA_OPS_TOKEN\n```\n", "").unwrap_err();
        assert!(
            format!("{unset:#}").contains("unbound variable"),
            "nothing is given that is not told"
        );
    }

    #[test]
    fn what_is_not_run_is_read() {
        check("```sh manual\nexit 3\n```\n", None);
        let broken = run("```sh manual\nif\n```\n", "").unwrap_err();
        assert!(format!("{broken:#}").contains("syntax error"), "{broken:#}");
    }

    #[test]
    fn configurations_are_checked_by_mira() {
        let check = |program| {
            let folder = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(program, folder.path().join("mira")).unwrap();
            let shell = Shell::new(folder.path(), folder.path());
            shell.page().block(&blocks("```json mira\n{}\n```\n").unwrap()[0])
        };
        check("/bin/true").unwrap();
        assert_eq!(check("/bin/false").unwrap_err().to_string(), "ended with exit status: 1\n");
    }

    /// Answers every request that it is ready, on a free port, until the test ends.
    fn server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answer = move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        };
        thread::Builder::new().name("server".into()).spawn(answer).unwrap();
        address
    }

    /// A program that says where it listens, and ends with a status when told to.
    fn fake(address: &str, status: u8) -> String {
        let line = |listener| {
            format!(
                "echo '{{\"message\":\"listening\",\"listener\":\"{listener}\",\"address\":\"{address}\"}}'"
            )
        };
        let wait = "while :; do read -t 60 line <> <(:) || :; done";
        format!("trap 'exit {status}' TERM; {}; {}; {wait}", line("app"), line("ops"))
    }

    #[test]
    fn blocks_that_talk_to_mira_talk_to_the_one_on_other_ports() {
        let address = server();
        let page = "```sh\necho http://127.0.0.1:8080/a\n```\n```text output\nhttp://127.0.0.1:8080/a\n```\n";
        run(page, &fake(&address, 0)).unwrap();
        let asks = "```sh\n[ $(echo 127.0.0.1:8080) != 127.0.0.1:\"\"8080 ]\n```\n";
        run(asks, &fake(&address, 0)).unwrap();
    }

    #[test]
    fn a_page_may_say_how_mira_is_started() {
        let page = format!(
            "```sh service\n{}\n```\n```sh\necho 127.0.0.1:9090\n```\n",
            fake(&server(), 0)
        );
        run(&page, "exit 9").unwrap();
    }

    #[test]
    fn a_mira_that_does_not_start_or_end_well_fails_the_page() {
        let page = "```sh\necho 127.0.0.1:8080\n```\n";
        let error = format!("{:#}", run(page, "echo broken; exit 9").unwrap_err());
        assert_eq!(error, "1: it did not say where it listens:\nbroken\n");
        let error = format!("{:#}", run(page, &fake(&server(), 3)).unwrap_err());
        assert!(error.starts_with("when told to end, it ended with exit status: 3"), "{error}");
    }
}
