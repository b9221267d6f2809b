use crate::mira::{command, output};

/// APP-3: the answer alone on the standard output, and nothing on the standard error.
#[test]
fn questions_are_answered() {
    for (arguments, beginning) in [
        (vec!["--help"], "Makes project plans"),
        (vec!["--version"], "mira "),
        (vec!["--check-config"], "the configuration is valid\n"),
        (vec!["--print-config"], "broker.capacity = 1000 "),
        (vec!["--print-schema"], "{\n  \"$defs\""),
        (vec!["--print-example"], include_str!("../../config.example.toml")),
        (
            vec!["--explain", "server.bind_address"],
            "server.bind_address = \"127.0.0.1:8080\"\n  from default\n",
        ),
        (
            vec!["--set", "broker.workers=2", "--explain", "broker.workers"],
            "broker.workers = 2\n  from flag --set broker.workers\n",
        ),
    ] {
        let (code, stdout, stderr) = output(&mut command(&arguments));
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert!(stdout.starts_with(beginning), "{arguments:?}: {stdout}");
    }
    let help = output(&mut command(&["--help"])).1;
    for flag in [
        "--config",
        "--set",
        "--structured-logging",
        "--hot-reload",
        "--check-config",
        "--print-config",
        "--print-schema",
        "--print-example",
        "--explain",
        "--help",
        "--version",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

/// Mistakes of usage and of configuration exit by 2, with the reason on the standard error alone.
#[test]
fn mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("a.json"), "{}").unwrap();
    std::fs::write(path("bad.json"), "{\"logging\": {\"level\": 3}}").unwrap();
    let (a, bad, absent) = (path("a.json"), path("bad.json"), path("absent.json"));
    for (arguments, expected) in [
        (vec!["--nonsense"], "unexpected argument '--nonsense'"),
        (vec![a.as_str(), "--config", bad.as_str()], "two configuration files"),
        (vec![a.as_str(), bad.as_str()], "unexpected argument"),
        (
            vec!["--check-config", "--config", bad.as_str()],
            "bad.json:1:23: logging.level: expected a level such as",
        ),
        (vec!["--check-config", "--config", absent.as_str()], "absent.json: does not exist"),
        (vec!["--explain", "nothing"], "mira: no setting is called `nothing`; --print-config"),
        (vec!["--explain", "logging.levl"], "did you mean `logging.level`?"),
        (vec!["--check-config", "--print-config"], "cannot be used with"),
    ] {
        let (code, stdout, stderr) = output(&mut command(&arguments));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(expected), "{arguments:?}: {stderr}");
    }
    let same = output(&mut command(&[&a, "--config", &a, "--check-config"]));
    assert_eq!(same.0, Some(0), "{same:?}");
}

/// APP-3, SEC-6: no printed configuration shows a secret.
#[test]
fn secrets_are_masked() {
    for arguments in
        [vec!["--print-config"], vec!["--explain", "integrations"], vec!["--explain", "ops"]]
    {
        let mut command = command(&arguments);
        command.env("GITHUB_TOKEN", "canary").env("MIRA_OPS_TOKEN", "canary");
        let (code, stdout, _) = output(&mut command);
        assert_eq!(code, Some(0));
        assert!(!stdout.contains("canary") && stdout.contains("[REDACTED]"), "{stdout}");
    }
}

/// Whoever reads no further has the answer; where it cannot be written, that is a failure.
#[test]
fn answers_survive_their_readers() {
    let cut = |arguments: &[&str], end: &str| {
        let script = format!(
            "set -o pipefail; {} {} {end}",
            env!("CARGO_BIN_EXE_mira"),
            arguments.join(" ")
        );
        let mut bash = std::process::Command::new("bash");
        output(bash.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin"))
    };
    for question in ["--print-config", "--print-schema", "--print-example", "--help"] {
        let (code, _, stderr) = cut(&[question], "| true");
        assert_eq!((code, stderr.as_str()), (Some(0), ""), "{question}");
        let (code, _, stderr) = cut(&[question], "> /dev/full");
        assert_eq!(code, Some(1), "{question}");
        assert!(stderr.starts_with("cannot write to the standard output: "), "{stderr}");
    }
    let (code, stdout, _) = cut(&["--set", "nothing=1"], "2> >(true)");
    assert_eq!(code, Some(2), "{stdout}");
}
