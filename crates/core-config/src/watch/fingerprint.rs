use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// As much of a file as can be configuration, and a byte more.
const MAX_BYTES: u64 = (10 << 20) + 1;
/// Deeper folders hold no configuration.
const MAX_DEPTH: usize = 8;

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
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            path.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        let is_hidden = |path: &&PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
        };
        if depth > 0 {
            entries.iter().filter(|path| !is_hidden(path)).for_each(|p| add(p, depth - 1, hasher));
        }
        return;
    }
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut content));
    read.map_err(|error| error.kind()).hash(hasher);
    content.hash(hasher);
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
    }
}
