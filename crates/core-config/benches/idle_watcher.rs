//! What a watcher costs while nothing happens: CPU time and wake-ups of each of its threads, and
//! how long an edit takes to be told. Linux only, for it reads `/proc/self/task`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark prints or fails")]

use std::collections::BTreeMap;
use std::fs;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use core_config::{Config, Watcher};

/// Long enough for four polls at the default interval.
const IDLE: Duration = Duration::from_secs(20);
const EDITS: u32 = 10;

fn main() {
    // `cargo test --benches` asks whether this runs at all.
    let idle =
        if std::env::args().any(|argument| argument == "--bench") { IDLE } else { IDLE / 100 };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, "a = 0").unwrap();
    let (sender, changes) = channel();
    let poll = Config::default().poll_interval.get();
    let _watcher = Watcher::start(vec![path.clone()], poll, move || {
        let _ = sender.send(Instant::now());
    })
    .unwrap();
    let wait = Duration::from_secs(2);
    changes.recv_timeout(wait).unwrap();

    let before = threads();
    let wall = Instant::now();
    assert!(changes.recv_timeout(idle).is_err(), "nothing has changed");
    let wall = wall.elapsed().as_secs_f64();
    let (mut cpu, mut wakes) = (0.0, 0.0);
    for (thread, (time, switches)) in threads() {
        let (time_before, switches_before) = before.get(&thread).copied().unwrap_or_default();
        let time = (time - time_before) as f64 / 1e9 / wall;
        let switches = (switches - switches_before) as f64 / wall;
        println!("{:24} {:.4} % of a core, {switches:.1} wake-ups/s", thread.1, time * 100.0);
        (cpu, wakes) = (cpu + time, wakes + switches);
    }
    println!("{:24} {:.4} % of a core, {wakes:.1} wake-ups/s", "together", cpu * 100.0);

    let mut delays: Vec<Duration> = (0..EDITS)
        .map(|edit| {
            let begin = Instant::now();
            fs::write(&path, format!("a = {}", edit + 1)).unwrap();
            changes.recv_timeout(wait).expect("seen in time") - begin
        })
        .collect();
    delays.sort();
    let (least, most) = (delays[0], delays[delays.len() - 1]);
    println!("an edit is told after {least:.1?} to {most:.1?}, of {EDITS} edits");
}

/// CPU time in nanoseconds and voluntary switches of each thread, by number and name.
fn threads() -> BTreeMap<(String, String), (u64, u64)> {
    let read = |path: std::path::PathBuf| fs::read_to_string(path).unwrap_or_default();
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .map(|task| {
            let status = read(task.path().join("status"));
            let switches =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            let switches = switches.and_then(|count| count.trim().parse().ok()).unwrap_or_default();
            let times = read(task.path().join("schedstat"));
            let time = times.split(' ').next().and_then(|time| time.parse().ok());
            let name = read(task.path().join("comm")).trim().to_owned();
            (
                (task.file_name().to_string_lossy().into_owned(), name),
                (time.unwrap_or_default(), switches),
            )
        })
        .collect()
}
