//! ARCHITECTURE.md's code map names what is there: no more, no less.

use std::collections::BTreeSet;

use super::tree::Tree;

const FILE: &str = "ARCHITECTURE.md";

pub(crate) fn tells_the_truth(tree: &Tree) -> Vec<String> {
    let rows = rows(tree.file(FILE).unwrap_or_default());
    let mut missing = tree.members();
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let path = place(tree, row);
        if !tree.has(&path) {
            complaints.push(format!("{FILE}: the code map names `{row}`, which does not exist"));
        }
        missing.remove(&path);
        if !seen.insert(path) {
            complaints.push(format!("{FILE}: the code map names `{row}` twice"));
        }
    }
    let missing = missing.into_iter();
    complaints
        .extend(missing.map(|member| format!("{FILE}: the code map lacks a row for {member}")));
    complaints
}

/// The names in backticks with which rows of a table or items of a list begin, below the heading
/// that speaks of the code map.
fn rows(text: &str) -> Vec<&str> {
    let heading = |line: &&str| line.starts_with('#');
    let code_map = |line: &&str| heading(line) && line.to_lowercase().contains("code map");
    let section = text.lines().skip_while(|line| !code_map(line)).skip(1);
    let section = section.take_while(|line| !heading(line));
    let row = |line: &'_ str| -> Option<(usize, usize)> {
        let rest =
            line.trim_start().strip_prefix(['|', '-', '*'])?.trim_start().strip_prefix('`')?;
        let name = rest.split('`').next()?.trim_end_matches('/');
        let begin = line.len() - rest.len();
        Some((begin, begin + name.len()))
    };
    section.filter_map(|line| row(line).map(|(begin, end)| &line[begin..end])).collect()
}

/// Crates and examples may be called by their names alone.
fn place(tree: &Tree, name: &str) -> String {
    let folders = ["crates", "examples"].map(|folder| format!("{folder}/{name}"));
    folders.into_iter().find(|path| tree.has(path)).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(map: &str, expected: &[&str]) {
        let text = format!("# A\n- `stray`\n## Code map\n{map}\n## Next\n- `stray`");
        let tree = Tree::of(&[
            (FILE, &text),
            ("crates/core-a/Cargo.toml", ""),
            ("examples/one/Cargo.toml", ""),
            ("deploy/compose.yaml", ""),
            ("xtask/Cargo.toml", ""),
        ]);
        assert_eq!(tells_the_truth(&tree), expected);
    }

    #[test]
    fn a_list_or_a_table_may_be_the_map() {
        check("- `core-a`: a\n- `examples/one`: 1\n* `xtask`", &[]);
        check(
            "| crate | is |\n|---|---|\n| `crates/core-a/` | a |\n| `one` | 1 |\n| `xtask` ||",
            &[],
        );
        check("- `core-a`\n- `one`\n- `xtask`\n- `deploy/`: what operators need", &[]);
    }

    #[test]
    fn what_is_missing_gone_or_told_twice_is_named() {
        check(
            "- `core-a`\n- `core-b`\n- `xtask`\n- `xtask`",
            &[
                "ARCHITECTURE.md: the code map names `core-b`, which does not exist",
                "ARCHITECTURE.md: the code map names `xtask` twice",
                "ARCHITECTURE.md: the code map lacks a row for examples/one",
            ],
        );
    }
}
