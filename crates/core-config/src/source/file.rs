use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::{file_problem, json, toml, yaml};
use crate::Problem;
use crate::node::{Kind, Node};

/// A larger file is no configuration; reading it would only hurt.
const MAX_BYTES: u64 = 10 << 20;

/// The endings that are understood, as a person reads them.
const ENDINGS: &str = "`.toml`, `.json`, `.yaml` or `.yml`";

/// Reads a file by its ending. `None` if it does not exist.
pub(crate) fn read(path: &Path) -> Result<Option<Node>, Problem> {
    let one = |message: String| file_problem(path, message);
    let Some(text) = text(path).map_err(one)? else { return Ok(None) };
    let node = match ending(path).as_deref() {
        Some("toml") => toml::parse(&text, path),
        Some("json") => json::parse(&text, path),
        Some("yaml" | "yml") => yaml::parse(&text, path),
        _ => return Err(one(format!("unknown type of file; the name must end in {ENDINGS}"))),
    }?;
    match node.kind {
        Kind::Table(_) => Ok(Some(node)),
        // An empty YAML document is nothing, as an empty TOML one is.
        Kind::Null => Ok(Some(Node::table(node.origin))),
        _ => Err(one("expected a table of settings".into())),
    }
}

/// The ending of a name, in small letters.
fn ending(path: &Path) -> Option<String> {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase())
}

/// What is wrong with a file that does not exist.
pub(crate) fn absent(path: &Path) -> &'static str {
    if path.is_symlink() { "is a link to a file that does not exist" } else { "does not exist" }
}

/// The whole of a small UTF-8 file. `None` if it does not exist.
pub(super) fn text(path: &Path) -> Result<Option<String>, String> {
    let failed = |error: std::io::Error| format!("cannot be read: {}", error.kind());
    // Looked at first: to open a pipe that nobody writes to would take for ever.
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_dir() {
        return Err("is a folder where a file should be".into());
    }
    if !metadata.is_file() {
        return Err("is no regular file".into());
    }
    let file = File::open(path).map_err(failed)?;
    // A byte of room tells the end without another growth.
    let mut bytes = Vec::with_capacity(metadata.len().min(MAX_BYTES) as usize + 1);
    // One byte more than allowed tells the file that grew, or that has no size, as below `/proc`.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {} MiB", MAX_BYTES >> 20));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("is not UTF-8, at line {line}")
    })?;
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

/// The configuration files of a `conf.d` folder, in the order of their names, and what else lies
/// there. Hidden files, editors' copies and folders are nobody's mistake.
pub(crate) fn folder(path: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Problem> {
    let failed =
        |error: std::io::Error| file_problem(path, format!("cannot be read: {}", error.kind()));
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let ending = ending(&file);
        if matches!(ending.as_deref(), Some("toml" | "json" | "yaml" | "yml")) {
            files.push(file);
        } else if !file.is_dir() {
            others.push(file);
        }
    }
    files.sort();
    others.sort();
    Ok((files, others))
}
