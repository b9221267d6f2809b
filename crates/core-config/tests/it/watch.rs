use std::fs;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use core_config::Watcher;

use crate::settings::Folder;

/// An edit has to be seen within this time; waiting ends as soon as it is.
const LIMIT: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_secs(3600);

/// Watches a file and tells its content whenever it has changed.
fn watch(folder: &Folder, name: &str, poll: Duration) -> (Watcher, Receiver<String>) {
    let (sender, changes) = channel();
    let path = folder.path(name);
    let watcher = Watcher::start(vec![path.clone()], poll, move || {
        let content = fs::read_to_string(&path).unwrap_or_else(|_| "absent".into());
        let _ = sender.send(content);
    })
    .unwrap();
    changes.recv_timeout(LIMIT).expect("the first call");
    (watcher, changes)
}

#[track_caller]
fn expect(changes: &Receiver<String>, content: &str) {
    assert_eq!(changes.recv_timeout(LIMIT).as_deref(), Ok(content));
}

/// An edit is seen in time, however it is made.
#[test]
fn edits_are_seen() {
    let folder = Folder::new(&[("a.toml", "1")]);
    let (watcher, changes) = watch(&folder, "a.toml", NEVER);
    assert!(watcher.is_notified());
    folder.write("a.toml", "2");
    expect(&changes, "2");
    folder.write("new", "3");
    fs::rename(folder.path("new"), folder.path("a.toml")).unwrap();
    expect(&changes, "3");
    fs::remove_file(folder.path("a.toml")).unwrap();
    expect(&changes, "absent");
    folder.write("a.toml", "4");
    expect(&changes, "4");
    // The same content again, and a neighbour: no news, so the next news is the next edit.
    folder.write("a.toml", "4");
    folder.write("other.toml", "x");
    folder.write("a.toml", "5");
    expect(&changes, "5");
}

/// The kubelet swaps a symbolic link; each swap is seen, not only the first.
#[cfg(unix)]
#[test]
fn swaps_of_a_mounted_folder_are_seen() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new(&[("mount/..0/a.toml", "0")]);
    symlink("..0", folder.path("mount/..data")).unwrap();
    symlink("..data/a.toml", folder.path("mount/a.toml")).unwrap();
    let (_watcher, changes) = watch(&folder, "mount/a.toml", NEVER);
    for n in 1..4 {
        folder.write(&format!("mount/..{n}/a.toml"), &n.to_string());
        symlink(format!("..{n}"), folder.path("mount/..data_tmp")).unwrap();
        fs::rename(folder.path("mount/..data_tmp"), folder.path("mount/..data")).unwrap();
        fs::remove_dir_all(folder.path(&format!("mount/..{}", n - 1))).unwrap();
        expect(&changes, &n.to_string());
    }
}

/// A folder that is replaced by another of the same name does not make the watcher deaf.
#[test]
fn a_replaced_folder_is_seen() {
    let folder = Folder::new(&[("conf/a.toml", "0"), ("next/a.toml", "1")]);
    let (_watcher, changes) = watch(&folder, "conf/a.toml", NEVER);
    fs::rename(folder.path("conf"), folder.path("old")).unwrap();
    fs::rename(folder.path("next"), folder.path("conf")).unwrap();
    // Between the renames there is no file, which may be seen or not.
    let first = changes.recv_timeout(LIMIT).expect("the new folder");
    if first != "1" {
        assert_eq!(first, "absent");
        expect(&changes, "1");
    }
    folder.write("conf/a.toml", "2");
    expect(&changes, "2");
}

/// Without notifications the interval is the bound.
#[test]
fn polling_sees_it_too() {
    let folder = Folder::new(&[("a.toml", "1")]);
    let (_watcher, changes) = watch(&folder, "a.toml", Duration::from_millis(20));
    folder.write("a.toml", "2");
    expect(&changes, "2");
}
