//! The code blocks of a page.

use anyhow::{Context as _, ensure};

/// What stands between two fences.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    /// The first word behind the opening fence.
    pub(crate) language: String,
    /// The other words.
    pub(crate) marks: Vec<String>,
    pub(crate) text: String,
    /// The number of the opening fence's line.
    pub(crate) line: usize,
    /// The last line above it that is not empty.
    pub(crate) above: String,
}

impl Block {
    pub(crate) fn is_marked(&self, mark: &str) -> bool {
        self.marks.iter().any(|own| own == mark)
    }

    /// The variables that a block of `export NAME=value` sets. Values are as they stand: nothing that
    /// a shell would make something else of.
    pub(crate) fn exports(&self) -> anyhow::Result<Vec<(String, String)>> {
        let export = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
            let is_fit = !name.is_empty() && !value.is_empty() && value.chars().all(is_plain);
            is_fit.then(|| (name.to_owned(), value.to_owned()))
        };
        let lines = self.text.lines().filter(|line| !line.trim().is_empty());
        let exports = lines.map(|line| {
            export(line).with_context(|| format!("`{line}` is not `export NAME=value`"))
        });
        exports.collect()
    }
}

/// Reads a page. Fails if a fence is never closed.
pub(crate) fn blocks(page: &str) -> anyhow::Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut above = "";
    let mut lines = page.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some((indent, fence, info)) = opening(line) else {
            if !line.trim().is_empty() {
                above = line.trim();
            }
            continue;
        };
        let mut text = String::new();
        let mut closed = false;
        for (_, line) in lines.by_ref() {
            closed = line.trim_end().trim_start().strip_prefix(fence).is_some_and(str::is_empty);
            if closed {
                break;
            }
            // What is indented with the fence, as in a list, is not part of the text.
            let margin = line.len() - line.trim_start().len();
            text.push_str(&line[indent.min(margin)..]);
            text.push('\n');
        }
        ensure!(closed, "{}: the fence is never closed", at + 1);
        let mut words =
            info.split([' ', ',']).filter(|word| !word.is_empty()).map(ToOwned::to_owned);
        let language = words.next().unwrap_or_default();
        let (marks, above) = (words.collect(), std::mem::take(&mut above).to_owned());
        blocks.push(Block { language, marks, text, line: at + 1, above });
    }
    Ok(blocks)
}

/// The indentation, the fence and the words behind it, if a line opens a block.
fn opening(line: &str) -> Option<(usize, &str, &str)> {
    let rest = line.trim_start();
    let mark = rest.chars().next().filter(|c| "`~".contains(*c))?;
    let length = rest.len() - rest.trim_start_matches(mark).len();
    (length >= 3).then(|| (line.len() - rest.len(), &rest[..length], &rest[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_a_language_marks_a_line_and_what_stands_above() {
        let page = "# A\n\n<!-- not run: it takes a day -->\n\n```sh manual\nwork\n\nmore\n```\n~~~json,mira output\n```\n~~~\n";
        let read = blocks(page).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].language.as_str(), read[0].text.as_str()), ("sh", "work\n\nmore\n"));
        assert_eq!((read[0].line, read[0].above.as_str()), (5, "<!-- not run: it takes a day -->"));
        assert!(read[0].is_marked("manual") && !read[0].is_marked("mira"));
        assert_eq!((read[1].language.as_str(), read[1].text.as_str()), ("json", "```\n"));
        assert!(read[1].is_marked("mira") && read[1].is_marked("output"));
        assert_eq!(read[1].above, "", "the comment belongs to the first");
    }

    #[test]
    fn exports_are_plain_lines() {
        let exports =
            |text: &str| blocks(&format!("```sh export\n{text}\n```\n")).unwrap()[0].exports();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            exports("export A=b\n\nexport C=d/e").unwrap(),
            [pair("A", "b"), pair("C", "d/e")]
        );
        for other in ["A=b", "export A", "export A=", "export A=$B", "export A='b c'", "echo"] {
            let error = exports(other).unwrap_err().to_string();
            assert_eq!(error, format!("`{other}` is not `export NAME=value`"));
        }
    }

    #[test]
    fn indented_blocks_lose_the_indentation_of_their_fence() {
        let read = blocks("1. a\n   ```text\n     b\n   c\n\n   ```\n").unwrap();
        assert_eq!(read[0].text, "  b\nc\n\n");
    }

    #[test]
    fn a_fence_that_is_never_closed_is_refused() {
        let error = blocks("a\n```sh\nb\n").unwrap_err().to_string();
        assert_eq!(error, "2: the fence is never closed");
    }
}
