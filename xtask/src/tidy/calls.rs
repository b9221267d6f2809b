//! What code may not do: act on its own where the host is to act, or put things off.

use super::tree::{Tree, code};

/// What only the host does, and what to do instead.
const ACTS: &[(&str, &str)] = &[
    ("tokio::spawn", "return a future; core-app spawns it"),
    ("task::spawn", "return a future; core-app spawns it"),
    ("spawn_blocking", "return a future; core-app runs what blocks"),
    ("TcpListener::bind", "take a listener or a request; core-app binds the ports"),
    ("process::exit", "return an error; main ends the process"),
    ("thread::spawn", "use a Builder with a name, and join the handle"),
];

/// Begun and never ended, so that this file does not say them.
const PUT_OFF: &[&str] =
    &[concat!("#[ig", "nore"), concat!("to", "do!"), concat!("TO", "DO"), concat!("FIX", "ME")];

/// A test that some suite of this program runs, and names it, is not put off.
fn has_a_suite(line: &str) -> bool {
    let reason = line.trim().strip_prefix(concat!("#[ig", "nore = \"needs a real "));
    reason.is_some_and(|reason| reason.contains(": cargo xtask test "))
}

pub(crate) fn only_the_host_acts(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.sources().filter(|(path, _)| is_library(path)) {
        for (at, line) in code(text) {
            let done = ACTS.iter().filter(|(act, _)| line.contains(act));
            complaints.extend(done.map(|(act, instead)| format!("{path}:{at}: {act}: {instead}")));
        }
    }
    complaints
}

/// Whether a file is part of what runs inside a host: not the host, no program's `main`, no test.
fn is_library(path: &str) -> bool {
    let host = path.starts_with("crates/core-app/") || path.starts_with("xtask/");
    let main = path.starts_with("examples/") && path.ends_with("/src/main.rs");
    let test = !path.contains("/src/") || path.ends_with("/tests.rs") || path.contains("/tests/");
    !(host || main || test)
}

pub(crate) fn threads_are_named(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.product_sources() {
        let code: String = code(text).flat_map(|(_, line)| line.split_whitespace()).collect();
        let threads = code.contains("thread::Builder") || code.contains("thread::{Builder");
        let begun: Vec<&str> = code.split("Builder::new()").skip(1).collect();
        if threads && begun.iter().any(|rest| !rest.starts_with(".name(")) {
            complaints.push(format!("{path}: name the thread right after `Builder::new()`"));
        }
    }
    complaints
}

pub(crate) fn nothing_is_put_off(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.sources() {
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
            let put_off = PUT_OFF.iter().find(|word| line.contains(*word));
            if let Some(word) = put_off.filter(|_| !has_a_suite(line)) {
                complaints.push(format!("{path}:{at}: {word}: do it now, or leave it out"));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "crates/core-a/src/work.rs";

    #[track_caller]
    fn check(rule: fn(&Tree) -> Vec<String>, path: &str, text: &str, expected: &[&str]) {
        assert_eq!(rule(&Tree::of(&[(path, text)])), expected, "{path}: {text}");
    }

    #[test]
    fn a_library_does_not_act() {
        let complaint =
            "crates/core-a/src/work.rs:2: tokio::spawn: return a future; core-app spawns it";
        check(only_the_host_acts, SOURCE, "\nlet _ = tokio::spawn(work());", &[complaint]);
        for (act, _) in ACTS {
            let complaints = only_the_host_acts(&Tree::of(&[(SOURCE, &format!("{act}(x)"))]));
            assert!(!complaints.is_empty(), "{act}");
        }
    }

    #[test]
    fn hosts_programs_tests_and_comments_may_name_it() {
        let may = |path, text| check(only_the_host_acts, path, text, &[]);
        let act = "std::process::exit(1)";
        may("crates/core-app/src/work.rs", act);
        may("examples/one/src/main.rs", act);
        may("xtask/src/main.rs", act);
        may("crates/core-a/tests/it/main.rs", act);
        may("crates/core-a/src/work/tests.rs", act);
        may(SOURCE, "/// Like `std::process::exit`.");
        may(SOURCE, "#[cfg(test)]\nmod tests {\n    std::process::exit(1)\n}");
    }

    #[test]
    fn a_thread_without_a_name_is_found() {
        let nameless = "std::thread::Builder::new()\n    .spawn(work)";
        let complaint = "crates/core-a/src/work.rs: name the thread right after `Builder::new()`";
        check(threads_are_named, SOURCE, nameless, &[complaint]);
        let imported = "use std::thread::{Builder, JoinHandle};\nBuilder::new().spawn(work)";
        check(threads_are_named, SOURCE, imported, &[complaint]);
        let named = "use std::thread::Builder;\nBuilder::new()\n    .name(name).spawn(work)";
        check(threads_are_named, SOURCE, named, &[]);
        check(threads_are_named, SOURCE, "runtime::Builder::new().enable()", &[]);
    }

    #[test]
    fn what_is_put_off_is_found_in_tests_too() {
        for word in PUT_OFF {
            let text = format!("fine\n{word}");
            let complaint =
                format!("crates/core-a/tests/it/main.rs:2: {word}: do it now, or leave it out");
            check(nothing_is_put_off, "crates/core-a/tests/it/main.rs", &text, &[&complaint]);
        }
        let ignored = |reason| format!("    {} = \"{reason}\"]", PUT_OFF[0]);
        let suite = ignored("needs a real server: cargo xtask test servers");
        check(nothing_is_put_off, SOURCE, &suite, &[]);
        assert_eq!(nothing_is_put_off(&Tree::of(&[(SOURCE, &ignored("flaky"))])).len(), 1);
    }
}
