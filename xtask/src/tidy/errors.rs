//! Error texts are phrases: they begin in lower case and end without a full stop, because they are
//! printed one after the other, parted by colons.

use super::tree::{Tree, code};

/// In front of an error's text.
const ATTRIBUTE: &str = "#[error(";

pub(crate) fn are_phrases(tree: &Tree) -> Vec<String> {
    let complaints = tree.product_sources().flat_map(|(path, text)| {
        let code: Vec<&str> = code(text).map(|(_, line)| line).collect();
        texts(&code.join("\n"))
            .into_iter()
            .filter(|text| !is_phrase(text))
            .map(|text| {
                format!("{path}: the error text \"{text}\" must begin in lower case and end without a full stop")
            })
            .collect::<Vec<_>>()
    });
    complaints.collect()
}

fn is_phrase(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_lowercase() || "{`".contains(c));
    begins && !text.ends_with('.')
}

/// The texts of all error attributes of some code.
fn texts(code: &str) -> Vec<&str> {
    let attributes = code.match_indices(ATTRIBUTE).filter_map(|(at, _)| {
        let text = code[at + ATTRIBUTE.len()..].trim_start().strip_prefix('"')?;
        let ends = |(at, _): &(usize, _)| !text[..*at].ends_with('\\');
        let (end, _) = text.match_indices('"').find(ends)?;
        Some(&text[..end])
    });
    attributes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(attribute: &str, expected: &[&str]) {
        let source = format!("enum Error {{\n    #[error({attribute})]\n    A,\n}}");
        let tree = Tree::of(&[("crates/core-a/src/error.rs", &source)]);
        assert_eq!(are_phrases(&tree), expected);
    }

    #[test]
    fn phrases_are_well() {
        check("\"cannot read {path}\"", &[]);
        check("\"{0}\"", &[]);
        check("\"`a` is not a size\"", &[]);
        check("transparent", &[]);
        check("\n  \"a \\\"quoted\\\" word\",\n path", &[]);
    }

    #[test]
    fn sentences_are_not() {
        let complaint = |text: &str| {
            format!(
                "crates/core-a/src/error.rs: the error text \"{text}\" must begin in lower case and end without a full stop"
            )
        };
        check("\"Cannot read\"", &[&complaint("Cannot read")]);
        check("\"cannot read.\"", &[&complaint("cannot read.")]);
        check("\n    \"Cannot read {path}\",\n    path", &[&complaint("Cannot read {path}")]);
    }
}
