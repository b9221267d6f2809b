use serde_json::Value;

use super::{Catalog, Entry};
use crate::Key;
use crate::effective::toml;

/// How long a line of an example is at most, as far as words allow.
const WIDTH: usize = 100;

impl Catalog {
    /// A file with every setting, its documentation and its default, in TOML. The settings are
    /// comments: as it stands, the file changes nothing.
    pub fn to_example(&self) -> String {
        let begin =
            "# Every setting, with its default. Take away the `#` before a name to set it.\n";
        let mut blocks = vec![begin.to_owned()];
        for (table, description, entries) in self.by_table() {
            if !table.is_root() {
                blocks.push(comment(&format!("[{table}]\n\n{description}")));
            }
            blocks.extend(entries.iter().map(|entry| entry.to_example()));
        }
        blocks.join("\n")
    }

    /// A page with every setting, its variables, its default, and whether it can be changed while
    /// the service runs, in Markdown.
    pub fn to_markdown(&self) -> String {
        let mut blocks = Vec::new();
        for (table, description, entries) in self.by_table() {
            if !table.is_root() {
                blocks.push(format!("## `{table}`\n"));
                blocks.extend(paragraphs(description));
            }
            blocks.extend(entries.iter().flat_map(|entry| entry.to_markdown()));
        }
        blocks.join("\n")
    }

    /// The tables that hold settings, each with them.
    fn by_table(&self) -> impl Iterator<Item = (&Key, &str, Vec<&Entry>)> {
        self.tables.iter().filter_map(|(table, description)| {
            let is_in = |entry: &&Entry| entry.key.parent().as_ref() == Some(table);
            let entries: Vec<&Entry> = self.entries.iter().filter(is_in).collect();
            (!entries.is_empty()).then_some((table, &**description, entries))
        })
    }
}

impl Entry {
    fn to_example(&self) -> String {
        let mut text = comment(&self.description);
        if let Some(advice) = &self.deprecated {
            text += &comment(&format!("Deprecated: {advice}."));
        }
        if self.needs_restart {
            text += &comment("A change counts after a restart.");
        }
        let assignment = |value: &Value| Some(format!("{} = {}", self.key, toml(value)?));
        text + &match self.default.as_ref().and_then(assignment) {
            Some(default) => format!("#{default}\n"),
            None => comment(&assignment(&self.example).unwrap_or_default()),
        }
    }

    fn to_markdown(&self) -> Vec<String> {
        let mut blocks = vec![format!("### `{}`\n", self.key)];
        blocks.extend(paragraphs(&self.description));
        if let Some(advice) = &self.deprecated {
            blocks.push(format!("Deprecated: {advice}.\n"));
        }
        let default =
            self.default.as_ref().map_or("not set".into(), |default| format!("`{default}`"));
        let variables: Vec<String> =
            self.variables.iter().map(|name| format!("`{name}`")).collect();
        blocks.push(format!(
            "- Value: {}\n- Default: {default}\n- Variables: {}\n- A change counts {}\n",
            self.expected,
            variables.join(", "),
            if self.needs_restart { "after a restart" } else { "at a reload" },
        ));
        blocks
    }
}

fn paragraphs(description: &str) -> impl Iterator<Item = String> {
    let paragraphs = description.split("\n\n").filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| paragraph.replace('\n', " ") + "\n")
}

/// A text as lines of comment.
fn comment(text: &str) -> String {
    let mut lines = String::new();
    for paragraph in text.split("\n\n") {
        let mut length = WIDTH;
        for word in paragraph.split_whitespace() {
            length += word.len() + 1;
            if length > WIDTH {
                lines += if lines.is_empty() { "#" } else { "\n#" };
                length = word.len() + 2;
            }
            lines.push(' ');
            lines += word;
        }
    }
    if lines.is_empty() { lines } else { lines + "\n" }
}
