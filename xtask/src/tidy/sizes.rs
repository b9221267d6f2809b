//! A file that grows past its size holds two things.

use super::tree::Tree;

const LINES: usize = 500;

pub(crate) fn are_modest(tree: &Tree) -> Vec<String> {
    let long = |(path, text): (&str, &str)| {
        let lines = text.lines().count();
        (path.contains("src/") && lines > LINES).then(|| {
            format!("{path}: {lines} lines; more than {LINES} are two things, so make two files")
        })
    };
    tree.sources().filter_map(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sources_are_named() {
        let tree = Tree::of(&[
            ("crates/core-a/src/fits.rs", &"\n".repeat(500)),
            ("crates/core-a/src/long.rs", &"\n".repeat(501)),
            ("crates/core-a/README.md", &"\n".repeat(501)),
        ]);
        assert_eq!(
            are_modest(&tree),
            [
                "crates/core-a/src/long.rs: 501 lines; more than 500 are two things, so make two files"
            ]
        );
    }
}
