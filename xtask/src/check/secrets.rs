//! Secrets in files, by `detect-secrets`.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use crate::context::Context;
use crate::job::refuse;
use crate::process;
use crate::tool::kept::DETECT_SECRETS;

/// What was found, looked at, and is none. Made-up secrets that contain `canary` need not be in it,
/// nor need references to secrets.
const BASELINE: &str = ".secrets.baseline";

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let hook = DETECT_SECRETS.get(context)?;
    let root = context.workspace.root();
    let baseline = fs::read_to_string(root.join(BASELINE)).context("cannot read the baseline")?;
    refuse(&unreviewed(&serde_json::from_str(&baseline)?))?;
    let mut git = Command::new("git");
    // What is not committed yet is looked at, too: afterwards is too late.
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listed = process::run(&mut git, |_| {})?;
    let is_there = |file: &&str| *file != BASELINE && root.join(file).is_file();
    let files: Vec<&str> = listed.lines().filter(is_there).collect();

    // The hook writes to its baseline when lines have moved, and then fails. So it gets a copy,
    // twice: the second time no line has moved.
    let copy = context.workspace.target().join("secrets.baseline");
    fs::create_dir_all(context.workspace.target())?;
    fs::write(&copy, baseline).context("cannot copy the baseline")?;
    let scan = || context.run(Command::new(&hook).arg("--baseline").arg(&copy).args(&files));
    if scan().is_err() {
        let program = hook.with_file_name("detect-secrets");
        scan().map_err(|error| anyhow!("{error}\n{}", advice(&program.to_string_lossy())))?;
    }
    Ok(format!("{} files", files.len()))
}

fn advice(program: &str) -> String {
    format!(
        "There may be a secret in a file. Take it out, or, if it is none, review it:\n  \
         {program} scan --baseline {BASELINE} && {program} audit {BASELINE}"
    )
}

/// Complains of entries that nobody has declared to be no secrets.
fn unreviewed(baseline: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, found) in baseline["results"].as_object().into_iter().flatten() {
        for entry in found.as_array().into_iter().flatten() {
            if entry["is_secret"] != Value::Bool(false) {
                let (line, kind) = (&entry["line_number"], &entry["type"]);
                complaints.push(format!("{BASELINE}: nobody has reviewed {file}:{line} ({kind})"));
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_has_reviewed_is_named() {
        let baseline = serde_json::json!({"results": {"a.rs": [
            {"type": "Secret Keyword", "line_number": 1, "is_secret": false},
            {"type": "Secret Keyword", "line_number": 2},
            {"type": "Secret Keyword", "line_number": 3, "is_secret": true},
        ]}});
        assert_eq!(
            unreviewed(&baseline),
            [
                ".secrets.baseline: nobody has reviewed a.rs:2 (\"Secret Keyword\")",
                ".secrets.baseline: nobody has reviewed a.rs:3 (\"Secret Keyword\")"
            ]
        );
    }
}
