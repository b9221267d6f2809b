use std::path::{Path, PathBuf};

use super::{Found, file, file_problem};
use crate::node::{Kind, Node};
use crate::schema::Schema;
use crate::source::text;
use crate::{Key, Origin, Problem};

/// Reads a folder in which each file is a key and its content the value, as mounted Secrets and
/// ConfigMaps are: `server.bind_address`, or `server/bind_address`. A trailing newline is not part
/// of the value. Hidden files, which Kubernetes' own `..data` is among, are passed over.
pub(crate) fn read(folder: &Path, schema: &Schema) -> Found {
    let mut found = Found::nothing(Origin::WholeFile { path: folder.into() });
    let mut files = Vec::new();
    if let Err(problem) = collect(folder, &Key::root(), &mut files) {
        found.problems.push(problem);
    }
    for (key, path) in files {
        match value(&key, &path, schema) {
            Ok(node) => found.node.insert(&key, node),
            Err(problem) => found.problems.push(problem),
        }
    }
    found
}

fn collect(folder: &Path, above: &Key, files: &mut Vec<(Key, PathBuf)>) -> Result<(), Problem> {
    let failed =
        |error: std::io::Error| file_problem(folder, format!("cannot be read: {}", error.kind()));
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(file_problem(&path, "the name is not UTF-8"));
        };
        if name.starts_with('.') {
            continue;
        }
        let key = name.split('.').fold(above.clone(), |key, part| key.name(part));
        if path.is_dir() {
            collect(&path, &key, files)?;
        } else {
            files.push((key, path));
        }
    }
    Ok(())
}

fn value(key: &Key, path: &Path, schema: &Schema) -> Result<Node, Problem> {
    let origin = Origin::WholeFile { path: path.into() };
    let refuse = |message: String| Problem::at(key, Some(origin.clone()), message);
    let content = file::text(path).map_err(refuse)?;
    // A value that is gone is not an empty one.
    let content = content.ok_or_else(|| refuse(file::absent(path).into()))?;
    let content = content.strip_suffix('\n').unwrap_or(&content);
    let content = content.strip_suffix('\r').unwrap_or(content);
    match schema.at(key) {
        Some(view) => text::typed(content, &view)
            .map(|value| Node::from_value(value, &origin))
            .map_err(refuse),
        // The check of the whole names the unknown key and the nearest known one.
        None => Ok(Node::new(origin, Kind::Text(content.to_owned()))),
    }
}
