use std::cell::Cell;

use notify::Event;
use notify::event::{CreateKind, Flag};

use super::*;

/// CFG-7: our own reads are no change, nor is what happens beside the files.
#[test]
fn only_changes_of_the_files_count() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let places = Places::of(&[root.join("a.toml")]);
    let matters =
        |kind, name: &str| is_change(&Event::new(kind).add_path(root.join(name)), &places);
    let read = EventKind::Access(AccessKind::Open(AccessMode::Any));
    let closed = EventKind::Access(AccessKind::Close(AccessMode::Read));
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    let created = EventKind::Create(CreateKind::File);
    assert!(!matters(read, "a.toml") && !matters(closed, "a.toml"));
    assert!(matters(written, "a.toml") && matters(created, "a.toml"));
    assert!(!matters(created, "b.toml"));
    let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
    assert!(is_change(&lost, &places));
}

/// CFG-7: a slow writer is waited for, but not for ever.
#[test]
fn files_are_read_when_they_rest() {
    let settles = |contents: &[u64]| {
        let looks = Cell::new(0);
        let look = || {
            let at = looks.replace(looks.get() + 1);
            contents.get(at).or(contents.last()).copied().unwrap()
        };
        (settled(look, || Some(())), looks.get())
    };
    assert_eq!(settles(&[1]), (Some(1), 2));
    assert_eq!(settles(&[1, 2, 3, 3, 4]), (Some(3), 4));
    assert_eq!(settles(&[1, 2, 3, 4, 5, 6, 7, 8]), (Some(6), 6));
    assert_eq!(settled(|| 1, || None), None);
}

/// CFG-7: a watch that the operating system has dropped is made again at the next event.
#[test]
fn a_folder_that_was_away_is_watched_again() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir(root.join("conf")).unwrap();
    let (sender, _receiver) = mpsc::channel();
    let places = Arc::new(ArcSwap::from_pointee(Places::default()));
    let debouncer = debouncer(sender, Arc::clone(&places));
    let paths = vec![root.join("conf/a.toml")];
    let mut state = State { paths, seen: 0, debouncer, places, unwatched: BTreeSet::new() };
    assert!(state.arm(true));
    let conf = root.join("conf");
    let unwatch = |state: &mut State| state.debouncer.as_mut().unwrap().unwatch(&conf);
    unwatch(&mut state).unwrap();
    assert!(state.arm(false));
    assert!(unwatch(&mut state).is_err(), "nothing has told of it");
    assert!(state.arm(true));
    unwatch(&mut state).unwrap();
    // What could not be watched is tried again, without an event.
    state.unwatched.insert(conf.clone());
    assert!(state.arm(false));
    unwatch(&mut state).unwrap();
}

/// CFG-7: twenty swaps of a mounted ConfigMap in a row, each is seen; and the last one of twenty
/// that come at once.
#[cfg(unix)]
#[test]
fn the_kubelet_may_swap_again_and_again() {
    use std::fs;
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let swap = |n: u32| {
        let stamp = format!("..{n}");
        fs::create_dir(path(&stamp)).unwrap();
        fs::write(path(&stamp).join("a.toml"), n.to_string()).unwrap();
        symlink(&stamp, path("..data_tmp")).unwrap();
        fs::rename(path("..data_tmp"), path("..data")).unwrap();
        if n > 0 {
            fs::remove_dir_all(path(&format!("..{}", n - 1))).unwrap();
        }
    };
    swap(0);
    symlink("..data/a.toml", path("a.toml")).unwrap();
    let (sender, changes) = mpsc::channel();
    let file = path("a.toml");
    let never = Duration::from_secs(3600);
    let watcher = Watcher::start(vec![file.clone()], never, move || {
        let text = fs::read_to_string(&file).expect("the kubelet leaves no gap");
        let _ = sender.send(text.parse::<u32>().unwrap());
    });
    assert!(watcher.as_ref().is_ok_and(Watcher::is_notified));
    let next = || changes.recv_timeout(Duration::from_secs(2)).unwrap();
    assert_eq!(next(), 0);
    for n in 1..=20 {
        swap(n);
        assert_eq!(next(), n, "one after the other");
    }
    (21..=40).for_each(swap);
    let mut last = 20;
    while last < 40 {
        let seen = next();
        assert!(seen > last, "{seen} after {last}");
        last = seen;
    }
}
