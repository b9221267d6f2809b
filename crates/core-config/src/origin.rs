use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// A place in a file. Lines and columns count from one, columns in characters.
    File {
        /// The file.
        path: Arc<Path>,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// A whole file: it is one value, as in a mounted Secret or ConfigMap, or it has no lines to
    /// point at.
    WholeFile {
        /// The file.
        path: Arc<Path>,
    },
    /// A variable in a `.env` file.
    DotEnv {
        /// The file.
        path: Arc<Path>,
        /// The line where the variable begins, from one.
        line: usize,
        /// The variable's name.
        variable: String,
    },
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
    },
    /// A flag on the command line.
    Flag {
        /// The flag as it was written, up to its value.
        name: String,
    },
    /// The code's own default.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::WholeFile { path } => write!(f, "{}", path.display()),
            Self::DotEnv { path, line, variable } => {
                write!(f, "{}:{line}: {variable}", path.display())
            }
            Self::Variable { name } => write!(f, "variable {name}"),
            Self::Flag { name } => write!(f, "flag {name}"),
        }
    }
}
