use std::fs;
use std::io::Write as _;
use std::path::Path;

use core_log::audit::{Audit, Broken, Entry, Error, Head, verify};
use core_types::Scope;

use crate::strict::strict;

fn entry(number: usize) -> Entry {
    Entry::new("operator", "level_changed").with_text("number", number.to_string())
}

/// A file of so many entries, and its end.
fn written(path: &Path, entries: usize) -> Head {
    let audit = Audit::open(path).unwrap();
    (0..entries).for_each(|number| drop(audit.record(&entry(number)).unwrap()));
    audit.head()
}

fn check(text: &str, known: Option<&Head>) -> Result<Head, Broken> {
    verify(text.as_bytes(), known)
}

/// LOG-10: every edit, cut, swap and forgery is found, at its line.
#[test]
fn what_was_done_to_the_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/audit.log");
    let head = written(&path, 3);
    // Another process goes on where this one ended.
    assert_eq!(written(&path, 2).sequence, 5);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(check(&text, Some(&head)).unwrap().sequence, 5);
    let end = check(&text, None).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let told = |text: &str, known| check(text, known).unwrap_err().to_string();

    let edited = text.replacen("\"number\":\"1\"", "\"number\":\"9\"", 1);
    assert_eq!(told(&edited, None), "line 2 was changed");
    assert_eq!(
        told(&joined(&[lines[0], lines[2]]), None),
        "line 2 does not follow the one before it"
    );
    assert_eq!(told(&joined(&lines[1..]), None), "line 1 does not follow the one before it");
    assert_eq!(
        told(&joined(&[lines[0], lines[2], lines[1]]), None),
        "line 2 does not follow the one before it"
    );
    assert_eq!(told(&text[..text.len() - 1], None), "line 5 was changed");
    // A cut at the end is whole in itself; whoever knows the end knows better.
    let cut = joined(&lines[..4]);
    assert!(check(&cut, None).is_ok());
    assert!(told(&cut, Some(&end)).starts_with("the file ends at 4, and 5:"));
    // So is a file that was written anew.
    let forged = folder.path().join("forged");
    written(&forged, 5);
    let forged = fs::read_to_string(forged).unwrap();
    assert!(check(&forged, None).is_ok());
    assert!(matches!(check(&forged, Some(&end)), Err(Broken::Cut { .. })));
}

/// LOG-10, LOG-7: a line says who did what in which scope; its own names are nobody else's, and
/// secrets are masked.
#[test]
fn a_line_says_who_did_what() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let audit = Audit::open(&path).unwrap();
    let entry = Entry::new("op\n\"erator", "reload")
        .with_text("password", "canary")
        .with_text("hash", "mine")
        .with_text("sequence", "mine");
    Scope::root().with_user_id("ada").run(|| audit.record(&entry).unwrap());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let line = strict(text.trim_end());
    for (name, value) in [
        ("actor", "op\n\"erator"),
        ("action", "reload"),
        ("user_id", "ada"),
        ("password", "[REDACTED]"),
        ("field.hash", "mine"),
        ("field.sequence", "mine"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
    assert_eq!(
        (&line["sequence"], line["hash"].as_str()),
        (&1.into(), Some(audit.head().hash.as_str()))
    );
    assert!(check(&text, Some(&audit.head())).is_ok());
}

/// LOG-10: half a line that a crash has left is cut off; a file that is not ours is not written.
#[test]
fn a_crash_breaks_no_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    written(&path, 2);
    fs::File::options()
        .append(true)
        .open(&path)
        .unwrap()
        .write_all(b"{\"sequence\":3,\"ti")
        .unwrap();
    assert_eq!(written(&path, 1).sequence, 3);
    assert_eq!(check(&fs::read_to_string(&path).unwrap(), None).unwrap().sequence, 3);

    let audit = Audit::open(&path).unwrap();
    assert!(matches!(Audit::open(&path), Err(Error::InUse { .. })));
    drop(audit);
    fs::write(&path, "a log of another kind\n").unwrap();
    assert!(matches!(Audit::open(&path), Err(Error::Broken { .. })));
}

/// LOG-10: entries of several threads make one chain.
#[test]
fn threads_share_a_chain() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let audit = Audit::open(&path).unwrap();
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| (0..5).for_each(|number| drop(audit.record(&entry(number)).unwrap())));
        }
    });
    assert_eq!(
        check(&fs::read_to_string(&path).unwrap(), Some(&audit.head())).unwrap().sequence,
        20
    );
}
