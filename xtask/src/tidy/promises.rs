//! Every promise that a comment cites stands on the page of promises: an id that is mistyped, or of a
//! promise that was given up, proves nothing.

use std::collections::BTreeSet;

use super::tree::Tree;

const PAGE: &str = "docs/promises.md";
/// With which a promise begins.
const ITEM: &str = "- **";

pub(crate) fn are_made(tree: &Tree) -> Vec<String> {
    let page = tree.file(PAGE).unwrap_or_default();
    let items = page.lines().filter_map(|line| line.strip_prefix(ITEM)?.split("**").next());
    let mut complaints = Vec::new();
    let mut made = BTreeSet::new();
    for id in items.filter(|id| ids(id).eq([*id])) {
        if !made.insert(id) {
            complaints.push(format!("{PAGE}: {id} stands there twice"));
        }
    }
    // Other words look like ids too: `UTF-8`.
    let groups: BTreeSet<&str> = made.iter().filter_map(|id| id.split('-').next()).collect();
    let is_broken =
        |id: &&str| groups.contains(id.split('-').next().unwrap_or_default()) && !made.contains(id);
    for (path, text) in tree.sources() {
        let comments = text
            .lines()
            .enumerate()
            .filter_map(|(at, line)| line.split_once("//").map(|(_, comment)| (at + 1, comment)));
        for (at, comment) in comments {
            let broken = ids(comment).filter(is_broken);
            complaints.extend(broken.map(|id| format!("{path}:{at}: {PAGE} has no {id}")));
        }
    }
    complaints
}

/// What looks like an id: capitals and digits, a hyphen, a number.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || "_-".contains(c)));
    words.filter(|word| {
        word.split_once('-').is_some_and(|(group, number)| {
            let is_group = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
            group.bytes().all(is_group)
                && group.starts_with(|c: char| c.is_ascii_uppercase())
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(comment: &str, expected: &[&str]) {
        let page = "# P\n\n- **CFG-1** Layers. Not of CFG-7.\n- **K8S-2** More.\n";
        let tree = Tree::of(&[(PAGE, page), ("crates/core-a/tests/it/a.rs", comment)]);
        assert_eq!(are_made(&tree), expected, "{comment}");
    }

    #[test]
    fn promises_that_are_made_may_be_cited() {
        check("/// CFG-1, K8S-2: it holds.", &[]);
        check("// UTF-8, RFC-1 and CFG are none, and CFG-x, pre-CFG-1", &[]);
        check("let text = \"CFG-9\";", &[]);
    }

    #[test]
    fn others_are_named_with_their_place() {
        let nine = "crates/core-a/tests/it/a.rs:2: docs/promises.md has no CFG-9";
        check("\n/// CFG-1, CFG-9: it holds.", &[nine]);
        let seven = "crates/core-a/tests/it/a.rs:1: docs/promises.md has no CFG-7";
        check("work(); // CFG-7", &[seven]);
    }

    #[test]
    fn a_promise_is_made_once() {
        let tree = Tree::of(&[(PAGE, "- **CFG-1** A\n- **CFG-1** B\n")]);
        assert_eq!(are_made(&tree), ["docs/promises.md: CFG-1 stands there twice"]);
    }
}
