use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

/// The kernel gives up on longer chains of symbolic links, too.
const MAX_LINKS: usize = 40;
/// Deeper folders hold no configuration.
pub(super) const MAX_DEPTH: usize = 8;
/// More are no configuration; each costs the operating system a watch.
const MAX_PLACES: usize = 2000;

/// Where something can happen that changes what is read at some paths, by names without symbolic
/// links.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Where the operating system is asked to tell of changes, each place once: the folders that
    /// hold a file, everything that may be content, and every symbolic link on the way. The files
    /// are among them because one that is mounted alone is written in another folder than the one
    /// in which it is seen.
    watched: BTreeMap<PathBuf, Place>,
    /// The other folders on the way, from the root on. Any of them may be replaced, which is looked
    /// for now and then: they may be busy with what is none of ours.
    way: BTreeMap<PathBuf, Option<Identity>>,
}

#[derive(Debug, Default)]
struct Place {
    names: Names,
    identity: Identity,
}

/// What a path names: something else of the same name differs, also where the number is used again.
pub(super) type Identity = (u64, u64, Option<SystemTime>);

/// What counts in a folder.
#[derive(Debug, Default, PartialEq)]
struct Names {
    named: BTreeSet<OsString>,
    /// Whatever is not hidden counts too.
    all: bool,
}

impl Places {
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let mut places = Self::default();
        for path in paths {
            // Only the empty path has no absolute form; there is nothing to see there.
            let Ok(path) = std::path::absolute(path) else { continue };
            if let Some(end) = places.walk(&path, MAX_LINKS) {
                places.descend(&end, MAX_DEPTH);
            }
        }
        places.identify();
        places
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Path, Identity)> {
        self.watched.iter().map(|(path, place)| (path.as_path(), place.identity))
    }

    pub(super) fn contains(&self, path: &Path) -> bool {
        self.watched.contains_key(path)
    }

    /// Whether this path is watched, and still names the same.
    pub(super) fn has(&self, path: &Path, identity: Identity) -> bool {
        self.watched.get(path).is_some_and(|place| place.identity == identity)
    }

    /// Whether it matters what happens at a path.
    pub(super) fn matters(&self, path: &Path) -> bool {
        let is_named = || {
            let names = &self.watched.get(path.parent()?)?.names;
            let name = path.file_name()?;
            Some(names.named.contains(name) || (names.all && !is_hidden(name)))
        };
        self.contains(path) || is_named().unwrap_or(false)
    }

    /// Whether every folder on the way is still the same, or still not there.
    pub(super) fn lead_the_same_way(&self) -> bool {
        self.way.iter().all(|(folder, before)| {
            folder.symlink_metadata().ok().map(|now| identity(&now)) == *before
        })
    }

    /// Notes what is on the way along a path. Gives its end, without links.
    fn walk(&mut self, path: &Path, links: usize) -> Option<PathBuf> {
        let mut above = PathBuf::new();
        let mut components = path.components();
        while let Some(component) = components.next() {
            let name = match component {
                Component::Normal(name) => name,
                // What is above holds no link any more, so this is the folder above it.
                Component::ParentDir => {
                    above.pop();
                    continue;
                }
                other => {
                    above.push(other);
                    continue;
                }
            };
            let place = above.join(name);
            let found = place.symlink_metadata().ok();
            let is_last = components.as_path().as_os_str().is_empty();
            if found.as_ref().is_some_and(Metadata::is_dir) || (found.is_none() && !is_last) {
                self.way.insert(place.clone(), found.as_ref().map(identity));
            } else {
                let names = &mut self.watched.entry(above.clone()).or_default().names;
                names.named.insert(name.to_owned());
            }
            if let Ok(target) = place.read_link() {
                // What is left of the path is looked for behind the link.
                let path = above.join(target).join(components.as_path());
                return self.walk(&path, links.checked_sub(1)?);
            }
            above = place;
        }
        Some(above)
    }

    /// Notes what is at the end of a path, and all that is in it.
    fn descend(&mut self, end: &Path, depth: usize) {
        if self.watched.len() >= MAX_PLACES {
            return;
        }
        let names = &mut self.watched.entry(end.to_owned()).or_default().names;
        let Ok(entries) = end.read_dir() else { return };
        if std::mem::replace(&mut names.all, true) || depth == 0 {
            return;
        }
        for entry in entries.flatten().filter(|entry| !is_hidden(&entry.file_name())) {
            if let Some(end) = self.walk(&entry.path(), MAX_LINKS) {
                self.descend(&end, depth - 1);
            }
        }
    }

    /// Keeps what is there, and of several names of one place the first: the operating system
    /// tells of it under one name only.
    fn identify(&mut self) {
        let mut first: BTreeMap<Identity, PathBuf> = BTreeMap::new();
        for (path, mut place) in std::mem::take(&mut self.watched) {
            let Ok(metadata) = path.metadata() else { continue };
            if !metadata.is_dir() && !metadata.is_file() {
                continue;
            }
            place.identity = identity(&metadata);
            let same = first.get(&place.identity).filter(|_| cfg!(unix));
            if let Some(known) = same.and_then(|path| self.watched.get_mut(path)) {
                known.names.named.append(&mut place.names.named);
                known.names.all |= place.names.all;
            } else {
                first.insert(place.identity, path.clone());
                self.watched.insert(path, place);
            }
        }
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino(), metadata.created().ok())
}

/// Without numbers, the time of creation has to do.
#[cfg(not(unix))]
fn identity(metadata: &Metadata) -> Identity {
    (0, 0, metadata.created().ok())
}

/// Hidden files are no configuration, unless a path names them or leads through them.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// CFG-7: every folder that may be replaced is watched, and nothing but the names on the way.
    #[cfg(unix)]
    #[test]
    fn the_whole_way_is_watched() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("mount/..1")).unwrap();
        fs::create_dir_all(root.join("conf.d/inner")).unwrap();
        fs::create_dir_all(root.join("elsewhere")).unwrap();
        fs::write(root.join("mount/..1/a.toml"), "").unwrap();
        fs::write(root.join("elsewhere/b.toml"), "").unwrap();
        symlink("..1", root.join("mount/..data")).unwrap();
        symlink("..data/a.toml", root.join("mount/a.toml")).unwrap();
        symlink("../elsewhere/b.toml", root.join("conf.d/b.toml")).unwrap();
        symlink("../conf.d", root.join("conf.d/loop")).unwrap();
        symlink("self", root.join("self")).unwrap();
        let path = |name: &str| root.join(name);
        let places = Places::of(&[
            path("mount/a.toml"),
            path("elsewhere/../conf.d"),
            path("not/yet/c.toml"),
            path("self"),
            path("conf.d"),
            PathBuf::new(),
        ]);
        let watched: Vec<&Path> =
            places.iter().map(|(path, _)| path).filter(|path| path.starts_with(&root)).collect();
        let expected = [
            "",
            "conf.d",
            "conf.d/inner",
            "elsewhere",
            "elsewhere/b.toml",
            "mount",
            "mount/..1",
            "mount/..1/a.toml",
        ];
        assert_eq!(watched, expected.map(|name| root.join(name)).each_ref().map(PathBuf::as_path));
        assert!(!places.contains(Path::new("/")), "it is busy, and never replaced");
        for matters in ["mount/..data", "mount/..1/a.toml", "mount/..1", "conf.d/new.toml"] {
            assert!(places.matters(&path(matters)), "{matters}");
        }
        for not in ["mount/b.toml", "mount/..1/b.toml", "conf.d/.b.swp", "not/yet", "../other"] {
            assert!(!places.matters(&path(not)), "{not}");
        }
        assert!(places.lead_the_same_way());
        fs::create_dir(path("not")).unwrap();
        assert!(!places.lead_the_same_way());
        let places = Places::of(&[path("not/yet/c.toml")]);
        fs::remove_dir(path("not")).unwrap();
        fs::create_dir(path("not")).unwrap();
        assert!(!places.lead_the_same_way(), "another folder of the same name");
    }

    /// CFG-7: a relative path is watched where the process is.
    #[test]
    fn a_relative_path_is_made_absolute() {
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let places = Places::of(&["Cargo.toml".into()]);
        assert!(places.iter().any(|(path, _)| path == here));
        assert!(places.matters(&here.join("Cargo.toml")));
    }

    /// CFG-7: two names of one file or folder are one place, for what happens at either counts.
    #[cfg(unix)]
    #[test]
    fn two_names_are_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("a.toml"), "").unwrap();
        fs::hard_link(root.join("a.toml"), root.join("b.toml")).unwrap();
        let places = Places::of(&[root.join("a.toml"), root.join("b.toml")]);
        let count = places.iter().filter(|(path, _)| path.starts_with(root.join("a.toml"))).count();
        assert_eq!((count, places.matters(&root.join("b.toml"))), (1, true));
        assert!(places.iter().all(|(path, _)| path != root.join("b.toml")));
    }
}
