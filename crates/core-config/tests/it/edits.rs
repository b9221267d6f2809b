//! CFG-7: every way in which people and tools edit a file, on the real file system.
//!
//! Where a way needs a mount or a limit of its own, the test runs itself again inside namespaces of
//! its own, so that no other test notices; where these cannot be had it says so and passes.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, SystemTime};

use core_config::Watcher;

use crate::settings::Folder;

/// An edit has to be seen within this time; waiting ends as soon as it is.
const LIMIT: Duration = Duration::from_secs(2);
/// No poll helps out.
const NEVER: Duration = Duration::from_secs(3600);

/// A way to edit a file.
struct Way {
    name: &'static str,
    /// What is there before, beside `a.toml` if that is watched.
    prepare: fn(&Folder),
    /// What is watched.
    path: &'static str,
    /// Makes the content a text.
    edit: fn(&Folder, &str),
}

const NOTHING: fn(&Folder) = |_| {};

const WAYS: [Way; 13] = [
    Way {
        name: "in place",
        prepare: NOTHING,
        path: "a.toml",
        edit: |folder, text| folder.write("a.toml", text),
    },
    Way {
        name: "rename over",
        prepare: NOTHING,
        path: "a.toml",
        edit: |folder, text| {
            folder.write("a.toml.tmp", text);
            rename(folder, "a.toml.tmp", "a.toml");
        },
    },
    Way {
        name: "vim, with its probe, its swap file and its backup",
        prepare: NOTHING,
        path: "a.toml",
        edit: |folder, text| {
            folder.write(".a.toml.swp", "b0VIM");
            folder.write("4913", "");
            remove(folder, "4913");
            rename(folder, "a.toml", "a.toml~");
            folder.write("a.toml", text);
            remove(folder, "a.toml~");
            remove(folder, ".a.toml.swp");
        },
    },
    Way {
        name: "emacs, with its lock, its autosave and its backup",
        prepare: NOTHING,
        path: "a.toml",
        edit: |folder, text| {
            symlink("me@host.1:1", folder.path(".#a.toml")).unwrap();
            folder.write("#a.toml#", text);
            rename(folder, "a.toml", "a.toml~");
            folder.write("a.toml", text);
            remove(folder, "#a.toml#");
            remove(folder, ".#a.toml");
        },
    },
    Way {
        name: "delete and recreate",
        prepare: NOTHING,
        path: "a.toml",
        edit: |folder, text| {
            remove(folder, "a.toml");
            folder.write("a.toml", text);
        },
    },
    Way {
        name: "a chain of links, the file at its end",
        prepare: |folder| {
            remove(folder, "a.toml");
            folder.write("far/away/end.toml", "0");
            symlink("middle", folder.path("a.toml")).unwrap();
            symlink("far/link", folder.path("middle")).unwrap();
            symlink("away/end.toml", folder.path("far/link")).unwrap();
        },
        path: "a.toml",
        edit: |folder, text| folder.write("far/away/end.toml", text),
    },
    Way {
        name: "a chain of links, one in the middle",
        prepare: |folder| {
            remove(folder, "a.toml");
            folder.write("0.toml", "0");
            symlink("middle", folder.path("a.toml")).unwrap();
            symlink("0.toml", folder.path("middle")).unwrap();
        },
        path: "a.toml",
        edit: |folder, text| {
            folder.write(&format!("{text}.toml"), text);
            symlink(format!("{text}.toml"), folder.path("new")).unwrap();
            rename(folder, "new", "middle");
        },
    },
    Way {
        name: "a replaced folder",
        prepare: |folder| folder.write("conf/a.toml", "0"),
        path: "conf/a.toml",
        edit: |folder, text| {
            folder.write("next/a.toml", text);
            rename(folder, "conf", &format!("old{text}"));
            rename(folder, "next", "conf");
        },
    },
    Way {
        name: "a folder that is removed and made again",
        prepare: |folder| folder.write("conf/a.toml", "0"),
        path: "conf/a.toml",
        edit: |folder, text| {
            fs::remove_dir_all(folder.path("conf")).unwrap();
            folder.write("conf/a.toml", text);
        },
    },
    Way {
        name: "a replaced folder of files",
        prepare: |folder| folder.write("conf.d/a.toml", "0"),
        path: "conf.d",
        edit: |folder, text| {
            folder.write("next/a.toml", text);
            rename(folder, "conf.d", &format!("old{text}"));
            rename(folder, "next", "conf.d");
        },
    },
    Way {
        name: "a new file in a folder of files",
        prepare: |folder| folder.write("conf.d/a.toml", "0"),
        path: "conf.d",
        edit: |folder, text| {
            remove(folder, "conf.d/a.toml");
            folder.write("conf.d/a.toml", text);
        },
    },
    Way {
        name: "git, which replaces a checkout by a link",
        prepare: |folder| {
            folder.write("checkouts/0/conf/a.toml", "0");
            symlink("checkouts/0", folder.path("current")).unwrap();
        },
        path: "current/conf/a.toml",
        edit: |folder, text| {
            folder.write(&format!("checkouts/{text}/conf/a.toml"), text);
            symlink(format!("checkouts/{text}"), folder.path("next")).unwrap();
            rename(folder, "next", "current");
        },
    },
    Way { name: "the kubelet", prepare: NOTHING, path: "mount/a.toml", edit: kubelet },
];

/// What leaves the content as it is.
type NoEdit = (&'static str, fn(&Folder));

const NO_EDITS: [NoEdit; 6] = [
    ("touch", |folder| {
        let later = SystemTime::now() + Duration::from_secs(60);
        let file = File::options().append(true).open(folder.path("a.toml")).unwrap();
        file.set_modified(later).unwrap();
    }),
    ("chmod", |folder| {
        let mut permissions = fs::metadata(folder.path("a.toml")).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(folder.path("a.toml"), permissions).unwrap();
    }),
    ("the same content in place", |folder| {
        let content = fs::read_to_string(folder.path("b.toml")).unwrap();
        folder.write("b.toml", &content);
    }),
    ("the same content by a rename", |folder| {
        let content = fs::read_to_string(folder.path("b.toml")).unwrap();
        folder.write("new", &content);
        rename(folder, "new", "b.toml");
    }),
    ("a neighbour", |folder| folder.write("c.toml", "c")),
    ("reading", |folder| {
        for _ in 0..100 {
            fs::read(folder.path("a.toml")).unwrap();
        }
    }),
];

fn rename(folder: &Folder, from: &str, to: &str) {
    fs::rename(folder.path(from), folder.path(to)).unwrap();
}

fn remove(folder: &Folder, name: &str) {
    fs::remove_file(folder.path(name)).unwrap();
}

/// What the kubelet's atomic writer does: a new folder, a link to it under another name, a rename
/// of that link over the one in use, and the old folder is removed.
fn kubelet(folder: &Folder, text: &str) {
    let data = folder.path("mount/..data");
    let old = fs::read_link(&data).ok();
    let stamp = format!("..2026_11_21_{text}");
    folder.write(&format!("mount/{stamp}/a.toml"), text);
    symlink(&stamp, folder.path("mount/..data_tmp")).unwrap();
    fs::rename(folder.path("mount/..data_tmp"), &data).unwrap();
    match old {
        Some(old) => fs::remove_dir_all(folder.path("mount").join(old)).unwrap(),
        None => symlink("..data/a.toml", folder.path("mount/a.toml")).unwrap(),
    }
}

/// Tells the content of the one file whenever something has changed, and how often it was told.
fn watch(folder: &Folder, path: &str, poll: Duration) -> (Watcher, Receiver<String>) {
    let (sender, changes) = channel();
    let path = folder.path(path);
    let file = if path.extension().is_some_and(|ending| ending == "d") {
        path.join("a.toml")
    } else {
        path.clone()
    };
    let watcher = Watcher::start(vec![path], poll, move || {
        let _ = sender.send(fs::read_to_string(&file).unwrap_or_else(|_| "absent".into()));
    })
    .unwrap();
    changes.recv_timeout(LIMIT).expect("the first call");
    (watcher, changes)
}

/// The next content. Between two steps of an edit there may be none, which may be seen.
#[track_caller]
fn expect(changes: &Receiver<String>, text: &str, way: &str) {
    let next = || changes.recv_timeout(LIMIT);
    let seen = next().map(|seen| if seen == "absent" { next() } else { Ok(seen) });
    assert_eq!(seen, Ok(Ok(text.to_owned())), "{way}");
}

at_once!(
    every_way_to_edit_is_seen_once,
    what_changes_no_content_is_not_told,
    a_file_that_is_mounted_alone,
    no_notifications_are_left,
    an_interval_of_zero_does_not_spin,
    a_mounted_folder_of_keys_is_seen,
);

/// CFG-7: each edit is told within two seconds and once, also the third of its kind.
fn every_way_to_edit_is_seen_once() {
    std::thread::scope(|threads| {
        for Way { name, prepare, path, edit } in WAYS {
            threads.spawn(move || {
                let folder = Folder::new(&[("a.toml", "0")]);
                prepare(&folder);
                if path.starts_with("mount") {
                    edit(&folder, "0");
                }
                let (watcher, changes) = watch(&folder, path, NEVER);
                assert!(watcher.is_notified(), "{name}");
                // What is told twice is there before the next.
                for text in ["1", "2", "3", "4"] {
                    edit(&folder, text);
                    expect(&changes, text, name);
                }
            });
        }
    });
}

/// CFG-7: what changes no content is not told, nor are our own reads.
fn what_changes_no_content_is_not_told() {
    std::thread::scope(|threads| {
        for (name, touch) in NO_EDITS {
            threads.spawn(move || {
                let folder = Folder::new(&[("a.toml", "0"), ("b.toml", "0"), ("end.toml", "0")]);
                let (sender, changes) = channel();
                let paths = ["a.toml", "b.toml", "end.toml"].map(|file| folder.path(file));
                let end = paths[2].clone();
                let _watcher = Watcher::start(paths.into(), NEVER, move || {
                    let _ = sender.send(fs::read_to_string(&end).unwrap());
                })
                .unwrap();
                assert_eq!(changes.recv_timeout(LIMIT).as_deref(), Ok("0"));
                touch(&folder);
                // It has been looked at when another edit has been told, which is made once the
                // first could have been: whatever is told before that was told for nothing.
                assert!(changes.recv_timeout(LIMIT / 2).is_err(), "{name}");
                folder.write("end.toml", "1");
                assert_eq!(changes.recv_timeout(LIMIT).as_deref(), Ok("1"), "{name}");
            });
        }
    });
}

/// A filter that no test fits, by which the tests below know that they run in namespaces.
const INSIDE: &str = "inside-namespaces";

fn is_inside() -> bool {
    std::env::args().any(|argument| argument == INSIDE)
}

/// Runs one of the tests below in namespaces of its own, after some commands of a shell. What
/// cannot be had here is told.
fn inside(test: &str, namespaces: &[&str], shell: &str) {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user"]).args(namespaces).args(["sh", "-c"]);
    let shell = format!("{{ {shell}; }} && exec \"$0\" --exact --nocapture {test} {INSIDE}");
    let Ok(output) = unshare.arg(shell).arg(std::env::current_exe().unwrap()).output() else {
        return skip(test, "there is no `unshare` here");
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => assert!(said.contains("1 passed"), "{said}"),
        // The commands failed, or `unshare` was not permitted: the test did not begin.
        _ if !said.contains("running 1 test") => skip(test, &said),
        _ => panic!("{said}"),
    }
}

#[expect(clippy::print_stdout, reason = "who runs the tests has to know")]
fn skip(test: &str, why: &str) {
    println!("{test} was skipped: {why}");
}

/// CFG-7: a single file that is mounted is seen when it is written in place.
fn a_file_that_is_mounted_alone() {
    inside("edits::inside_a_file_that_is_mounted_alone", &["--mount"], "true");
}

/// Run by `a_file_that_is_mounted_alone`, in a mount namespace.
#[test]
fn inside_a_file_that_is_mounted_alone() {
    if !is_inside() {
        return;
    }
    let folder = Folder::new(&[("host/source.toml", "0"), ("container/a.toml", "")]);
    let (source, target) = (folder.path("host/source.toml"), folder.path("container/a.toml"));
    let mount = Command::new("mount").arg("--bind").args([&source, &target]).status().unwrap();
    assert!(mount.success());
    let (watcher, changes) = watch(&folder, "container/a.toml", NEVER);
    assert!(watcher.is_notified());
    for text in ["1", "2"] {
        folder.write("host/source.toml", text);
        expect(&changes, text, "a write outside");
    }
    folder.write("container/a.toml", "3");
    expect(&changes, "3", "a write inside");
    let unmount = Command::new("umount").arg(&target).status().unwrap();
    assert!(unmount.success());

    // A folder of two names, under each of which a file counts; one of them comes later.
    let folder = Folder::new(&[("host/b.toml", "0"), ("again/x", "")]);
    let names = [folder.path("host"), folder.path("again")];
    let mount = Command::new("mount").arg("--bind").args(&names).status().unwrap();
    assert!(mount.success());
    let (sender, changes) = channel();
    let paths = [folder.path("host/a.toml"), folder.path("again/b.toml")];
    let read = paths.clone();
    let _watcher = Watcher::start(paths.into(), NEVER, move || {
        let read = read.each_ref().map(|path| fs::read_to_string(path).unwrap_or_default());
        let _ = sender.send(read);
    })
    .unwrap();
    changes.recv_timeout(LIMIT).unwrap();
    for (name, expected) in [("host/a.toml", ["1", "0"]), ("again/b.toml", ["1", "1"])] {
        folder.write("new", "1");
        fs::copy(folder.path("new"), folder.path(name).with_extension("new")).unwrap();
        fs::rename(folder.path(name).with_extension("new"), folder.path(name)).unwrap();
        assert_eq!(changes.recv_timeout(LIMIT), Ok(expected.map(str::to_owned)), "{name}");
    }
    let unmount = Command::new("umount").arg(&names[1]).status().unwrap();
    assert!(unmount.success());
}

/// CFG-7: where the system has no notifications left, files are looked at.
fn no_notifications_are_left() {
    for limit in ["max_inotify_instances", "max_inotify_watches"] {
        let shell = format!("echo 0 > /proc/sys/user/{limit}");
        inside("edits::inside_no_notifications_are_left", &[], &shell);
    }
}

/// Run by `no_notifications_are_left`, in a user namespace.
#[test]
fn inside_no_notifications_are_left() {
    if !is_inside() {
        return;
    }
    let folder = Folder::new(&[("a.toml", "0"), ("mount/x", "")]);
    let poll = Duration::from_millis(100);
    let (watcher, changes) = watch(&folder, "a.toml", poll);
    assert!(!watcher.is_notified());
    kubelet(&folder, "0");
    let (mounted, swaps) = watch(&folder, "mount/a.toml", poll);
    assert!(!mounted.is_notified());
    for text in ["1", "2", "3"] {
        folder.write("a.toml", text);
        expect(&changes, text, "in place");
        kubelet(&folder, text);
        expect(&swaps, text, "the kubelet");
    }
}

/// CFG-7: an interval of zero is taken for the shortest that makes sense, and does not spin.
fn an_interval_of_zero_does_not_spin() {
    let folder = Folder::new(&[("a.toml", "0")]);
    let (sender, changes) = channel();
    let _watcher = Watcher::start(vec![folder.path("a.toml")], Duration::ZERO, move || {
        let _ = sender.send(fs::read_link("/proc/thread-self").unwrap());
    })
    .unwrap();
    let thread = changes.recv_timeout(LIMIT).unwrap();
    assert!(changes.recv_timeout(LIMIT / 4).is_err(), "nothing has changed");
    let times = fs::read_to_string(PathBuf::from("/proc").join(thread).join("schedstat")).unwrap();
    let used = times.split(' ').next().and_then(|used| used.parse().ok()).map(Duration::from_nanos);
    assert!(used.unwrap() < LIMIT / 40, "{used:?}");
}

/// CFG-7: a number of files of which each counts.
fn a_mounted_folder_of_keys_is_seen() {
    let folder = Folder::new(&[]);
    let keys = |n: u32| {
        let stamp = format!("..{n}");
        for key in ["workers", "level"] {
            folder.write(&format!("keys/{stamp}/{key}"), &format!("{key}{n}"));
        }
        symlink(&stamp, folder.path("keys/..data_tmp")).unwrap();
        rename(&folder, "keys/..data_tmp", "keys/..data");
    };
    keys(0);
    for key in ["workers", "level"] {
        symlink(format!("..data/{key}"), folder.path("keys").join(key)).unwrap();
    }
    let (sender, changes) = channel();
    let read = ["workers", "level"].map(|key| folder.path("keys").join(key));
    let _watcher = Watcher::start(vec![folder.path("keys")], NEVER, move || {
        let _ =
            sender.send(read.each_ref().map(|path: &PathBuf| fs::read_to_string(path).unwrap()));
    })
    .unwrap();
    changes.recv_timeout(LIMIT).unwrap();
    for n in 1..4 {
        keys(n);
        let expected = [format!("workers{n}"), format!("level{n}")];
        assert_eq!(changes.recv_timeout(LIMIT), Ok(expected));
    }
}
