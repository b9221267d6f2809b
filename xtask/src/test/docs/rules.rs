//! What can be said of a page without running it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::data;
use super::page::Block;
use crate::context::Context;
use crate::workspace::Workspace;

/// The languages, and the marks that each may carry.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("rust", &["compile_fail", "no_run", "should_panic"]),
    ("sh", &["export", "manual", "service"]),
    ("toml", &["mira", "output"]),
    ("json", &["mira", "output"]),
    ("yaml", &["mira", "output"]),
    ("text", &["output"]),
    ("console", &["output"]),
    ("prometheus", &["output"]),
];

/// Complains of the blocks of a page. Is it part of some crate's documentation?
pub(crate) fn complaints(path: &str, blocks: &[Block], included: bool) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut before: Option<&Block> = None;
    for block in blocks {
        let mut complain = |what: String| complaints.push(format!("{path}:{}: {what}", block.line));
        match LANGUAGES.iter().find(|(language, _)| *language == block.language) {
            None => complain(format!("no test knows the language `{}`", block.language)),
            Some((language, marks)) => {
                for mark in block.marks.iter().filter(|mark| !marks.contains(&mark.as_str())) {
                    complain(format!("`{language}` blocks are not marked `{mark}`"));
                }
            }
        }
        if block.language == "rust" && !included {
            complain(format!(
                "no crate includes {path} in its documentation, so nothing compiles this"
            ));
        }
        if block.is_marked("manual") && !says_why(&block.above) {
            complain("say why it is not run, in a comment above: <!-- not run: … -->".into());
        }
        if block.is_marked("export")
            && let Err(error) = block.exports()
        {
            complain(error.to_string());
        }
        let follows_run =
            before.is_some_and(|before| before.language == "sh" && before.marks.is_empty());
        if block.is_marked("output") && !follows_run {
            complain("output of what? No `sh` block that is run stands before it".into());
        }
        // Output may hold `…`.
        if !block.is_marked("output")
            && let Err(error) = data::parse(&block.language, &block.text)
        {
            complain(error.to_string());
        }
        before = Some(block);
    }
    complaints
}

fn says_why(line: &str) -> bool {
    let why = line.strip_prefix("<!-- not run:").and_then(|rest| rest.strip_suffix("-->"));
    why.is_some_and(|why| !why.trim().is_empty())
}

/// The files that a library includes in its documentation, relative to the root.
pub(crate) fn included(context: &Context) -> anyhow::Result<BTreeSet<String>> {
    let root = context.workspace.root();
    let mut included = BTreeSet::new();
    let has_doc_tests =
        |member: &&cargo_metadata::Package| member.targets.iter().any(|target| target.doctest);
    for member in context.workspace.members().iter().filter(has_doc_tests) {
        collect(root, &Workspace::folder(member).join("src"), &mut included)?;
    }
    Ok(included)
}

fn collect(root: &Path, folder: &Path, included: &mut BTreeSet<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, included)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for named in named(&fs::read_to_string(&path)?) {
                let file = path.parent().expect("a file lies in a folder").join(named);
                if let Ok(file) = file.canonicalize()
                    && let Ok(file) = file.strip_prefix(root.canonicalize()?)
                {
                    included.insert(file.to_string_lossy().into_owned());
                }
            }
        }
    }
    Ok(())
}

/// The files that `doc` attributes of some code include.
fn named(code: &str) -> impl Iterator<Item = &str> {
    code.split("doc = include_str!(\"").skip(1).filter_map(|rest| rest.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::docs::page;

    #[track_caller]
    fn check(page: &str, expected: &[&str]) {
        let found = complaints("docs/a.md", &page::blocks(page).unwrap(), false);
        assert_eq!(found, expected, "{page}");
    }

    #[test]
    fn good_pages_are_not_complained_of() {
        check("```sh\na\n```\n\nprints\n\n```text output\n…\n```\n", &[]);
        check("```sh\na\n```\n```json output\n{\"a\": …}\n```\n", &[]);
        check("<!-- not run: it takes a day -->\n```sh manual\na\n```\n", &[]);
        check("```toml\na = 1\n```\n```json mira\n{}\n```\n```yaml\na: 1\n```\n", &[]);
    }

    #[test]
    fn what_nothing_would_test_is_refused() {
        check("```python\na\n```\n", &["docs/a.md:1: no test knows the language `python`"]);
        check("\n```\na\n```\n", &["docs/a.md:2: no test knows the language ``"]);
        check(
            "```rust\na();\n```\n",
            &[
                "docs/a.md:1: no crate includes docs/a.md in its documentation, so nothing compiles this",
            ],
        );
        let ignored = concat!("ig", "nore");
        let page = page::blocks(&format!("```rust {ignored}\n```\n")).unwrap();
        assert_eq!(
            complaints("a.md", &page, true),
            [format!("a.md:1: `rust` blocks are not marked `{ignored}`")]
        );
    }

    #[test]
    fn not_running_needs_a_reason() {
        let complaint =
            "docs/a.md:3: say why it is not run, in a comment above: <!-- not run: … -->";
        check("a\n\n```sh manual\na\n```\n", &[complaint]);
        check("<!-- not run: -->\n\n```sh manual\na\n```\n", &[complaint]);
    }

    #[test]
    fn exports_do_nothing_else() {
        check("```sh export\nexport A=b\n```\n", &[]);
        let complaint = "docs/a.md:1: `curl a` is not `export NAME=value`";
        check("```sh export\ncurl a\n```\n", &[complaint]);
    }

    #[test]
    fn output_belongs_to_a_block_that_runs() {
        let complaint = "output of what? No `sh` block that is run stands before it";
        check("```text output\na\n```\n", &[&format!("docs/a.md:1: {complaint}")]);
        check(
            "```sh service\na\n```\n```text output\na\n```\n",
            &[&format!("docs/a.md:4: {complaint}")],
        );
    }

    #[test]
    fn data_that_cannot_be_read_is_refused() {
        let found = complaints("a.md", &page::blocks("```json\n{\n```\n").unwrap(), true);
        assert!(found[0].starts_with("a.md:1: EOF"), "{found:?}");
    }

    #[test]
    fn inclusions_are_found() {
        let code = "#![doc = include_str!(\"../README.md\")]\n#[cfg_attr(doctest, doc = include_str!(\"../../docs/a.md\"))]\nlet a = include_str!(\"b\");";
        assert_eq!(named(code).collect::<Vec<_>>(), ["../README.md", "../../docs/a.md"]);
    }
}
