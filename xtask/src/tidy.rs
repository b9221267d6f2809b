//! What is true of the tree as a whole, and what no compiler checks.
//!
//! Each rule is a function from the tree to complaints. `cargo xtask test tidy` applies all of
//! them, and so does a test of this program.

mod calls;
mod code_map;
mod edges;
mod errors;
mod manifests;
mod promises;
mod readmes;
mod sizes;
mod tree;
mod words;

use std::path::Path;

use crate::workspace::Workspace;

use self::tree::Tree;

type Rule = fn(&Tree) -> Vec<String>;

const RULES: &[Rule] = &[
    calls::only_the_host_acts,
    calls::threads_are_named,
    calls::nothing_is_put_off,
    code_map::tells_the_truth,
    errors::are_phrases,
    manifests::inherit,
    manifests::explain_features,
    promises::are_made,
    readmes::show_and_tell,
    sizes::are_modest,
    words::stay_at_work,
];

/// All complaints about the workspace that a folder belongs to.
pub(crate) fn complaints(folder: &Path) -> anyhow::Result<Vec<String>> {
    let workspace = Workspace::read(folder)?;
    let tree = Tree::read(workspace.root())?;
    let mut complaints = edges::sideways(&edges::read(&workspace));
    complaints.extend(RULES.iter().flat_map(|rule| rule(&tree)));
    Ok(complaints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let complaints = complaints(Path::new(".")).unwrap();
        assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
    }
}
