use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime};

use core_log::{Config, Logging, Options, Rotation};
use core_types::ByteSize;
use tracing::info;

use crate::output::{SOON, strict, text_of};

const THREADS: u64 = 4;
const LINES: u64 = 500;
const TINY: u64 = 4096;

/// A log in a folder of its own that is put aside after some lines, and all of it kept.
fn config(folder: &Path) -> Config {
    let mut config = Config::default();
    config.file = Some(folder.join("app.log"));
    config.max_file_size = ByteSize::from_bytes(TINY);
    config.max_files = 0;
    config
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    // The file itself is the last one: before its name's end there is the moment of the others.
    names.sort_by_key(|name| if name == "app.log" { "app.log.9".to_owned() } else { name.clone() });
    names
}

fn read(path: &Path) -> String {
    if path.extension().is_none_or(|extension| extension != "gz") {
        return fs::read_to_string(path).unwrap();
    }
    let mut text = String::new();
    let file = fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

/// Four threads write at once; what `meanwhile` does happens meanwhile.
fn load(logging: &Logging, meanwhile: impl FnOnce()) {
    let dispatch = tracing::dispatcher::get_default(Clone::clone);
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let dispatch = &dispatch;
            threads.spawn(move || {
                tracing::dispatcher::with_default(dispatch, || {
                    for number in 0..LINES {
                        info!(thread_number = thread, number, "line");
                        if number % 50 == 0 {
                            assert!(logging.flush(SOON));
                        }
                    }
                });
            });
        }
        meanwhile();
    });
    assert!(logging.flush(SOON));
}

/// Every line of every thread stands once in the files, in its order; none is split.
fn check_all(files: &[PathBuf], rounds: u64) {
    let mut seen: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for path in files {
        for line in read(path).lines().map(strict) {
            let number = |name: &str| line[name].as_u64().unwrap();
            seen.entry(number("thread_number")).or_default().push(number("number"));
        }
    }
    let expected: Vec<u64> = (0..rounds).flat_map(|_| 0..LINES).collect();
    assert_eq!(seen.len() as u64, THREADS);
    for (thread, numbers) in seen {
        assert!(numbers == expected, "thread {thread}: {numbers:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    names(folder).into_iter().map(|name| folder.join(name)).collect()
}

/// LOG-6: under four threads' load, with a tiny limit: every line once, in order, in files that are
/// no longer than that.
#[test]
fn a_full_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    text_of(&config(folder.path()), Options::new(), |logging| load(logging, || ()));
    let files = files(folder.path());
    assert!(files.len() > 50, "{files:?}");
    assert!(files.iter().all(|file| fs::metadata(file).unwrap().len() <= TINY), "{files:?}");
    check_all(&files, 1);
}

/// LOG-6: files that were put aside are compressed, those that a stop has left at the next start.
#[test]
fn files_are_compressed() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.compress = true;
    text_of(&config, Options::new(), |logging| load(logging, || ()));
    let moment = "20260115T103045.123456Z";
    fs::write(folder.path().join(format!("app.log.{moment}.gz.part")), "half of it").unwrap();
    text_of(&config, Options::new(), |_| {
        let is_raw = |name: &String| name != "app.log" && !name.ends_with("Z.gz");
        let deadline = Instant::now() + SOON;
        while names(folder.path()).iter().any(is_raw) {
            assert!(Instant::now() < deadline, "{:?}", names(folder.path()));
            std::thread::yield_now();
        }
    });
    check_all(&files(folder.path()), 1);
}

/// LOG-6: of too many files the oldest go, by number and by size, and nobody else's ever.
#[test]
fn only_our_oldest_files_are_deleted() {
    const OTHERS: [&str; 4] = [
        "app-audit.log",
        "app.log.1",
        "app.log.2026-01-15",
        "app-audit.log.20260115T103045.123456Z",
    ];
    for (most, total, expected) in [(3, 0, 3), (0, 4 * TINY, 3), (2, 4 * TINY, 2)] {
        let folder = tempfile::tempdir().unwrap();
        for name in OTHERS {
            fs::write(folder.path().join(name), "not ours").unwrap();
        }
        let mut config = config(folder.path());
        config.max_files = most;
        config.max_total_size = ByteSize::from_bytes(total);
        text_of(&config, Options::new(), |logging| load(logging, || ()));
        let names = names(folder.path());
        let ours: Vec<_> = names.iter().filter(|name| !OTHERS.contains(&name.as_str())).collect();
        // Those that were put aside, and the one that is written.
        assert_eq!(ours.len(), expected + 1, "{names:?}");
        assert_eq!(names.len(), expected + 1 + OTHERS.len());
        // The latest lines are the ones that are left.
        let last = read(&folder.path().join("app.log"));
        assert!(last.contains(&format!("\"number\":{}", LINES - 1)), "{last}");
    }
}

/// LOG-6: a file of another day is put aside, also one that an earlier process has left.
#[test]
fn an_old_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.rotation = Rotation::Daily;
    let path = folder.path().join("app.log");
    fs::write(&path, "yesterday\n").unwrap();
    let file = fs::File::options().append(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(24 * 3600)).unwrap();
    text_of(&config, Options::new(), |_| info!("today"));
    let files = files(folder.path());
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(read(&files[0]), "yesterday\n");
    assert_eq!(read(&files[1]).lines().count(), 1);
}

/// LOG-5, LOG-6: a file that somebody deletes with its folder is made again at the next line.
#[test]
fn a_deleted_folder_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    text_of(&config(&logs), Options::new(), |logging| {
        info!("one");
        assert!(logging.flush(SOON));
        fs::remove_dir_all(&logs).unwrap();
        info!("two");
        assert!(logging.flush(SOON));
    });
    let text = read(&logs.join("app.log"));
    assert_eq!(
        text.lines().map(|line| strict(line)["message"].clone()).collect::<Vec<_>>(),
        ["two"]
    );
}

/// LOG-6: an idle log opens its file again when it is told that somebody has moved it.
#[test]
fn an_idle_log_opens_its_file_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let path = folder.path().join("app.log");
    text_of(&config, Options::new(), |logging| {
        info!("one");
        assert!(logging.flush(SOON));
        fs::rename(&path, folder.path().join("moved")).unwrap();
        logging.reopen();
        let deadline = Instant::now() + SOON;
        while !path.exists() {
            assert!(Instant::now() < deadline, "not opened again");
            std::thread::yield_now();
        }
    });
}

/// LOG-6: whoever has moved the file has time to put the next one in its place, before the log does.
#[test]
fn a_moved_file_is_not_made_again_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    text_of(&config(folder.path()), Options::new(), |logging| {
        info!("one");
        assert!(logging.flush(SOON));
        fs::rename(&path, folder.path().join("moved")).unwrap();
        let moved = Instant::now();
        info!("two");
        assert!(logging.flush(SOON));
        assert!(moved.elapsed() >= Duration::from_millis(200), "{:?}", moved.elapsed());
    });
    let messages = |name| {
        let text = read(&folder.path().join(name));
        text.lines().map(|line| strict(line)["message"].clone()).collect::<Vec<_>>()
    };
    assert_eq!((messages("moved"), messages("app.log")), (vec!["one".into()], vec!["two".into()]));
}

/// Runs Debian's rotator once; whether it is there.
fn logrotate(folder: &Path, mode: &str) -> bool {
    let path = folder.join("app.log");
    let rules = folder.join("rules");
    let text = format!(
        "{} {{\nrotate 100\nsize 1\nmissingok\nifempty\n{mode}\nsu root root\n}}\n",
        path.display()
    );
    // Only root may change to whom the files belong; all others are themselves anyway.
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| {
        use std::os::unix::fs::MetadataExt as _;
        own.uid() == 0
    });
    let text = if is_root { text } else { text.replace("su root root\n", "") };
    fs::write(&rules, text).unwrap();
    let state = folder.join("state");
    let run = Command::new("logrotate")
        .env("PATH", "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin")
        .args(["--force", "--state"])
        .args([&state, &rules])
        .output();
    match run {
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            true
        }
        Err(_) => false,
    }
}

/// The rotator's files from the oldest, then ours.
fn rotated(folder: &Path) -> Vec<PathBuf> {
    let mut numbers: Vec<u32> = names(folder)
        .iter()
        .filter_map(|name| name.strip_prefix("app.log.")?.parse().ok())
        .collect();
    numbers.sort_unstable_by(|a, b| b.cmp(a));
    let old = numbers.iter().map(|number| folder.join(format!("app.log.{number}")));
    old.chain([folder.join("app.log")]).collect()
}

/// A log that leaves the putting aside to others.
fn external(folder: &Path) -> Config {
    let mut config = config(folder);
    config.max_file_size = ByteSize::from_bytes(0);
    config
}

/// LOG-6: `logrotate` moves the file and makes another under load: every line once, in order.
#[test]
fn logrotate_moves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut is_there = true;
    text_of(&external(folder.path()), Options::new(), |logging| {
        load(logging, || {
            for _ in 0..5 {
                is_there = is_there && logrotate(folder.path(), "create");
                logging.reopen();
            }
        });
        // One that makes none: it is ours to make.
        is_there = is_there && logrotate(folder.path(), "nocreate");
        load(logging, || ());
    });
    if !is_there {
        return println!("skipped: logrotate is not installed");
    }
    let files = rotated(folder.path());
    assert_eq!(files.len(), 7, "{files:?}");
    check_all(&files, 2);
}

/// LOG-6: `logrotate` copies the file and makes it empty: lines that are not written between the two
/// stand once, and ours goes on at its beginning.
#[test]
fn logrotate_copies_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut is_there = true;
    text_of(&external(folder.path()), Options::new(), |logging| {
        for _ in 0..3 {
            load(logging, || ());
            is_there = is_there && logrotate(folder.path(), "copytruncate");
        }
        load(logging, || ());
    });
    if !is_there {
        return println!("skipped: logrotate is not installed");
    }
    let files = rotated(folder.path());
    assert_eq!(files.len(), 4, "{files:?}");
    check_all(&files, 4);
    let text = fs::read(folder.path().join("app.log")).unwrap();
    assert!(!text.contains(&0), "a file with a hole");
}
