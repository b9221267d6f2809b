use std::process::{Command, Stdio};

/// Runs a shell command line at a terminal of its own, by `script` of util-linux.
fn at_terminal(line: &str, no_color: &str) -> String {
    let output = Command::new("script")
        .args(["--quiet", "--return", "--command", line, "/dev/null"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("NO_COLOR", no_color)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// LOG-8: coloured lines for a person, with the two addresses and what can be tried; no colours where
/// `NO_COLOR` asks so.
#[test]
fn a_terminal_is_for_a_person() {
    let mira = env!("CARGO_BIN_EXE_mira");
    let line = format!(
        "{mira} --set server.bind_address=127.0.0.1:0 --set ops.bind_address=127.0.0.1:0 --set server.propagation_delay=0 & \
         id=$!; sleep 1; kill -TERM $id; wait $id"
    );
    let text = at_terminal(&line, "");
    assert!(text.contains("\u{1b}[32m INFO\u{1b}[0m"), "{text:?}");
    assert!(text.contains("mira is running"), "{text}");
    assert!(text.contains("  app  http://127.0.0.1:"), "{text}");
    assert!(text.contains("  ops  http://127.0.0.1:"), "{text}");
    assert!(text.contains("curl -s http://127.0.0.1:"), "{text}");
    assert!(!text.contains("\"timestamp\""), "{text}");
    let plain = at_terminal(&line, "1");
    assert!(plain.contains(" INFO core_app  listening"), "{plain:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
