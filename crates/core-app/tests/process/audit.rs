use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Command;

use crate::started::Started;

/// LOG-10: an operator's order stands in the audit file before it is carried out, its end in the log;
/// the service's program verifies the file, and finds an edit and a cut.
pub(crate) fn orders_are_audited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let file = format!("ops.audit_file={}", path.display());
    let service =
        Started::new("plain", &["--set", &file, "--set", "ops.token=canary-of-the-operator"]);
    let mut stream = service.connect("ops");
    let body = r#"{"level":"debug","target":"x"}"#;
    write!(
        stream,
        "PUT /ops/log-levels HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer canary-of-the-operator\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let line = service.wait_for_message("audited");
    let end = line["head"].as_str().unwrap().to_owned();
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));

    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains(r#""action":"set_log_level""#) && text.contains(r#""target":"x""#),
        "{text}"
    );
    assert!(text.contains(r#""client":"127.0.0.1""#), "{text}");
    assert!(!text.contains("canary"), "{text}");
    let verify = || {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["plain", "--verify-audit"]).arg(&path).args(["--audit-end", &end]);
        let output = program.output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        (output.status.success(), said)
    };
    assert_eq!(verify(), (true, format!("the chain is whole; its end is {end}\n")));
    fs::write(&path, text.replace("DEBUG", "TRACE")).unwrap();
    let (is_whole, said) = verify();
    assert!(!is_whole && said.contains("line 1 was changed"), "{said}");
    fs::write(&path, "").unwrap();
    let (is_whole, said) = verify();
    assert!(!is_whole && said.contains("the file ends at 0, and 1:"), "{said}");
}
