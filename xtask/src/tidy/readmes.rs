//! Each crate's README shows an example that compiles, and says how to depend on the crate.

use super::tree::Tree;

pub(crate) fn show_and_tell(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for member in tree.crates() {
        let readme = tree.file(&format!("{member}/README.md")).unwrap_or_default();
        let library = tree.file(&format!("{member}/src/lib.rs")).unwrap_or_default();
        let mut require = |holds: bool, what: &str| {
            if !holds {
                complaints.push(format!("{member}/{what}"));
            }
        };
        require(readme.contains("\n```rust"), "README.md: lacks an example in ```rust");
        require(readme.contains("\n## Depending on it\n"), "README.md: lacks \"Depending on it\"");
        let included = library.starts_with("#![doc = include_str!(\"../README.md\")]");
        require(included, "src/lib.rs: must begin with the README as its documentation");
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "# a\n\n```rust\n```\n\n## Depending on it\n\nBy path.\n";
    const LIBRARY: &str = "#![doc = include_str!(\"../README.md\")]\n";

    fn check(readme: &str, library: &str, expected: &[&str]) {
        let tree = Tree::of(&[
            ("crates/core-a/Cargo.toml", ""),
            ("crates/core-a/README.md", readme),
            ("crates/core-a/src/lib.rs", library),
        ]);
        assert_eq!(show_and_tell(&tree), expected);
    }

    #[test]
    fn a_readme_with_everything_is_well() {
        check(README, LIBRARY, &[]);
    }

    #[test]
    fn what_is_missing_is_told() {
        let example = "crates/core-a/README.md: lacks an example in ```rust";
        check(&README.replace("```rust", "```text"), LIBRARY, &[example]);
        let depending = "crates/core-a/README.md: lacks \"Depending on it\"";
        check(&README.replace("Depending", "Relying"), LIBRARY, &[depending]);
        let library = "crates/core-a/src/lib.rs: must begin with the README as its documentation";
        check(README, "//! a\n", &[library]);
    }
}
