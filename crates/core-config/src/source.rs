//! Where values come from. Each source gives a layer, or the mistakes that it found.

pub(crate) mod arguments;
pub(crate) mod dot_env;
pub(crate) mod environment;
pub(crate) mod file;
mod json;
pub(crate) mod key_folder;
mod lines;
mod text;
mod toml;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::node::Node;
use crate::{Origin, Problem};

/// What a source gives: what could be read, and the mistakes in the rest.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) node: Node,
    pub(crate) problems: Vec<Problem>,
    /// What refuses nothing, and was hardly meant: variables of our prefix that match no key.
    pub(crate) warnings: Vec<Problem>,
}

impl Found {
    fn nothing(origin: Origin) -> Self {
        Node::table(origin).into()
    }

    /// Files that lie in a folder of configuration, and are none.
    pub(crate) fn passed_over(folder: &Path, files: &[PathBuf]) -> Self {
        let mut found = Self::nothing(Origin::WholeFile { path: folder.into() });
        let message = "is passed over, for its name does not end in .toml, .json or .yaml";
        found.warnings = files.iter().map(|file| file_problem(file, message)).collect();
        found
    }
}

impl From<Node> for Found {
    fn from(node: Node) -> Self {
        Self { node, problems: Vec::new(), warnings: Vec::new() }
    }
}

/// A problem of a whole file.
fn file_problem(path: &Path, message: impl Into<String>) -> Problem {
    Problem::of(Origin::WholeFile { path: path.into() }, message)
}

/// A place in a file.
fn place(path: &Arc<Path>, line: usize, column: usize) -> Origin {
    Origin::File { path: Arc::clone(path), line, column }
}
