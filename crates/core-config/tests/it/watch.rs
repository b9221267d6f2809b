use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use core_config::{Loader, Watcher};

use crate::settings::{Folder, Settings};

/// An edit has to be seen within this time; waiting ends as soon as it is.
const LIMIT: Duration = Duration::from_secs(2);
const NEVER: Duration = Duration::from_secs(3600);

/// Watches a file and tells its content whenever it has changed.
fn watch(folder: &Folder, name: &str, poll: Duration) -> (Watcher, Receiver<String>) {
    watch_from(folder, &[name], name, poll)
}

/// Watches some paths, and tells the content of one file.
fn watch_from(
    folder: &Folder,
    paths: &[&str],
    name: &str,
    poll: Duration,
) -> (Watcher, Receiver<String>) {
    let (sender, changes) = channel();
    let name = folder.path(name);
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.path(path)).collect();
    let watcher = Watcher::start(paths, poll, move || {
        let content = fs::read_to_string(&name).unwrap_or_else(|_| "absent".into());
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

at_once!(
    edits_are_seen,
    a_replaced_folder_is_seen,
    polling_sees_it_too,
    #[cfg(unix)]
    changes_are_seen_on_the_whole_way,
    #[cfg(unix)]
    a_folder_of_two_names_is_watched_while_one_counts,
    a_folder_that_comes_back_is_seen,
    a_panic_of_the_callback_does_not_deafen,
    #[cfg(unix)]
    a_pipe_does_not_hold_up_the_watcher,
);

/// An edit is seen in time, however it is made.
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

/// A folder that is replaced by another of the same name does not make the watcher deaf.
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
fn polling_sees_it_too() {
    let folder = Folder::new(&[("a.toml", "1")]);
    let (_watcher, changes) = watch(&folder, "a.toml", Duration::from_millis(20));
    folder.write("a.toml", "2");
    expect(&changes, "2");
}

/// CFG-7: a change is seen wherever on the way to the content it is made.
#[cfg(unix)]
fn changes_are_seen_on_the_whole_way() {
    use std::os::unix::fs::symlink;

    type Change = fn(&Folder);
    let check =
        |files: &[(&str, &str)], watched: &str, name: &str, prepare: Change, change: Change| {
            let folder = Folder::new(files);
            prepare(&folder);
            let (watcher, changes) = watch_from(&folder, &[watched], name, NEVER);
            assert!(watcher.is_notified());
            change(&folder);
            assert_eq!(changes.recv_timeout(LIMIT).as_deref(), Ok("2"), "{watched}");
        };
    std::thread::scope(|threads| {
        // The target of a link in a folder of files.
        threads.spawn(|| {
            check(
                &[("real/sub/a.toml", "1"), ("conf.d/b.toml", "b")],
                "conf.d",
                "conf.d/a.toml",
                |folder| symlink("../real/sub/a.toml", folder.path("conf.d/a.toml")).unwrap(),
                |folder| folder.write("real/sub/a.toml", "2"),
            );
        });
        // A folder of keys inside a folder of keys.
        threads.spawn(|| {
            check(
                &[("keys/labels/deep/x", "1")],
                "keys",
                "keys/labels/deep/x",
                |_| {},
                |folder| folder.write("keys/labels/deep/x", "2"),
            );
        });
        // A file that comes with the folders that it is in.
        threads.spawn(|| {
            check(
                &[],
                "a/b/c.toml",
                "a/b/c.toml",
                |_| {},
                |folder| folder.write("a/b/c.toml", "2"),
            );
        });
        // A folder three levels up is replaced.
        threads.spawn(|| {
            check(
                &[("a/b/c/d.toml", "1"), ("next/b/c/d.toml", "2")],
                "a/b/c/d.toml",
                "a/b/c/d.toml",
                |_| {},
                |folder| {
                    fs::rename(folder.path("a"), folder.path("old")).unwrap();
                    fs::rename(folder.path("next"), folder.path("a")).unwrap();
                },
            );
        });
    });
}

/// CFG-7: a folder that has two names is watched while one of them is in use.
#[cfg(unix)]
fn a_folder_of_two_names_is_watched_while_one_counts() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new(&[("1/a.toml", "1"), ("1/b.toml", "1"), ("2/a.toml", "2")]);
    symlink("1", folder.path("current")).unwrap();
    let names = ["current/a.toml", "1/b.toml"];
    let (_watcher, changes) = watch_from(&folder, &names, "1/b.toml", NEVER);
    symlink("2", folder.path("next")).unwrap();
    fs::rename(folder.path("next"), folder.path("current")).unwrap();
    expect(&changes, "1");
    folder.write("1/b.toml", "3");
    expect(&changes, "3");
}

/// CFG-7: a folder that is moved away and back is still watched.
fn a_folder_that_comes_back_is_seen() {
    let folder = Folder::new(&[("conf/a.toml", "0")]);
    let (_watcher, changes) = watch(&folder, "conf/a.toml", NEVER);
    fs::rename(folder.path("conf"), folder.path("away")).unwrap();
    expect(&changes, "absent");
    fs::rename(folder.path("away"), folder.path("conf")).unwrap();
    expect(&changes, "0");
    folder.write("conf/a.toml", "1");
    expect(&changes, "1");
}

/// CFG-6: who is told of a change and panics is told of the next.
fn a_panic_of_the_callback_does_not_deafen() {
    let folder = Folder::new(&[("a.toml", "1")]);
    let (sender, changes) = channel();
    let path = folder.path("a.toml");
    let _watcher = Watcher::start(vec![path.clone()], NEVER, move || {
        let content = fs::read_to_string(&path).unwrap();
        sender.send(content).unwrap();
        panic!("on purpose");
    })
    .unwrap();
    expect(&changes, "1");
    for content in ["2", "3"] {
        folder.write("a.toml", content);
        expect(&changes, content);
    }
}

/// CFG-7: a pipe among the files is not waited for.
#[cfg(unix)]
fn a_pipe_does_not_hold_up_the_watcher() {
    let folder = Folder::new(&[("conf.d/a.toml", "1")]);
    let made = std::process::Command::new("mkfifo").arg(folder.path("conf.d/pipe")).status();
    assert!(made.unwrap().success());
    let (_watcher, changes) = watch_from(&folder, &["conf.d"], "conf.d/a.toml", NEVER);
    folder.write("conf.d/a.toml", "2");
    expect(&changes, "2");
}

/// CFG-1: whatever is read is watched.
#[test]
fn every_source_that_is_a_file_is_watched() {
    let folder = Folder::new(&[("conf.d/a.toml", "")]);
    let loader = Loader::<Settings>::new()
        .with_dot_env(folder.path(".env"))
        .with_file(folder.path("conf.d"))
        .with_optional_file(folder.path("b.toml"))
        .with_key_folder(folder.path("keys"));
    assert_eq!(loader.paths(), ["conf.d", "b.toml", "keys", ".env"].map(|name| folder.path(name)));
}
