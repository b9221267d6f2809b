use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::places::{MAX_DEPTH, is_hidden};

/// As much of a file as can be configuration, and a byte more.
const MAX_BYTES: u64 = (10 << 20) + 1;

/// A number that differs where the content at the paths does. Times and inodes do not count: a file
/// that was touched, or written anew with the same content, is the same.
pub(super) fn of(paths: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        add(path, MAX_DEPTH, &mut hasher);
    }
    hasher.finish()
}

fn add(path: &Path, depth: usize, hasher: &mut DefaultHasher) {
    path.hash(hasher);
    let kind = match path.metadata() {
        Ok(metadata) => metadata.file_type(),
        Err(error) => return error.kind().hash(hasher),
    };
    if kind.is_dir() {
        if depth > 0 {
            let entries = path.read_dir().into_iter().flatten().flatten();
            let entries = entries.filter(|entry| !is_hidden(&entry.file_name()));
            let mut entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            entries.sort();
            entries.iter().for_each(|entry| add(entry, depth - 1, hasher));
        }
    } else if kind.is_file() {
        let mut content = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut content));
        read.map_err(|error| error.kind()).hash(hasher);
        content.hash(hasher);
    } else {
        // A pipe has no content that could be looked at and still be there afterwards, and would
        // make us wait for its writer.
        "no file".hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::time::SystemTime;

    /// A file that was touched, or replaced by one of equal content, is the same.
    #[test]
    fn only_content_counts() {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("a.toml"), folder.path().join("conf.d")];
        fs::write(&paths[0], "a = 1").unwrap();
        fs::create_dir(&paths[1]).unwrap();
        let before = of(&paths);
        let later = SystemTime::now() + std::time::Duration::from_secs(60);
        File::options().append(true).open(&paths[0]).unwrap().set_modified(later).unwrap();
        assert_eq!(of(&paths), before);
        fs::remove_file(&paths[0]).unwrap();
        assert_ne!(of(&paths), before);
        fs::write(&paths[0], "a = 1").unwrap();
        assert_eq!(of(&paths), before);
        fs::write(paths[1].join(".hidden"), "").unwrap();
        assert_eq!(of(&paths), before);
        fs::write(paths[1].join("b.toml"), "").unwrap();
        assert_ne!(of(&paths), before);
        // The order of the files is that of their names.
        fs::rename(paths[1].join("b.toml"), paths[1].join("c.toml")).unwrap();
        let renamed = of(&paths);
        fs::rename(paths[1].join("c.toml"), paths[1].join("b.toml")).unwrap();
        assert_ne!(of(&paths), renamed);
        // An empty file is something.
        let one = [folder.path().join("empty.toml")];
        let absent = of(&one);
        fs::write(&one[0], "").unwrap();
        assert_ne!(of(&one), absent);
    }

    /// A pipe, which a mounted folder may hold, is not waited for.
    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe")).status();
        assert!(made.unwrap().success());
        let paths = [folder.path().to_owned(), folder.path().join("pipe")];
        assert_eq!(of(&paths), of(&paths));
    }
}
