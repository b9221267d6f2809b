use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// The kernel gives up on longer chains of symbolic links, too.
const MAX_LINKS: usize = 40;

/// The folders in which something can happen that changes what is read at the paths: those of the
/// files, the ones above them (a folder may be replaced), and those of every symbolic link on the
/// way.
pub(super) fn folders(paths: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::new();
    for path in paths {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        follow(&path, MAX_LINKS, &mut folders);
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn follow(path: &Path, links: usize, folders: &mut BTreeSet<PathBuf>) {
    folders.extend(path.ancestors().skip(1).take(2).map(Path::to_owned));
    if path.is_dir() {
        folders.insert(path.to_owned());
    }
    if links == 0 {
        return;
    }
    let mut above = PathBuf::new();
    let mut components = path.components();
    while let Some(component) = components.next() {
        let place = above.join(component);
        if let (Component::Normal(_), Ok(target)) = (component, place.read_link()) {
            folders.insert(above.clone());
            // What is left of the path is looked for behind the link.
            follow(&above.join(target).join(components.as_path()), links - 1, folders);
            return;
        }
        above = place;
    }
}
