//! What reading a live setting, loading and reloading cost, each beside what it is to be measured
//! against, in one run.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark is no API, and fails if it must")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Cache};
use core_config::schemars::{self, JsonSchema};
use core_config::{Commit, Flag, Live, Loaded, Loader, Validate};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};

const SECTIONS: usize = 12;
const SUBSCRIBERS: usize = 100;
const KEYS: usize = 10_000;

/// As many keys as a service has: with the names of the sections 60 lines of TOML.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    one: Section,
    two: Section,
    three: Section,
    four: Section,
    five: Section,
    six: Section,
    seven: Section,
    eight: Section,
    nine: Section,
    ten: Section,
    eleven: Section,
    twelve: Section,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Section {
    enabled: bool,
    address: String,
    limit: u64,
    share: f64,
}

impl Validate for Settings {}

fn sixty_lines(limit: u64) -> String {
    let names = [
        "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve",
    ];
    assert_eq!(names.len(), SECTIONS);
    names.iter().fold(String::new(), |mut text, name| {
        let address = format!("{name}.example.org:8080");
        writeln!(
            text,
            "[{name}]\nenabled = true\naddress = '{address}'\nlimit = {limit}\nshare = 0.5"
        )
        .unwrap();
        text
    })
}

fn load(path: &Path) -> Loaded<Settings> {
    Loader::new().with_file(path).load().unwrap()
}

fn file(text: &str) -> tempfile::TempPath {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file.into_temp_path()
}

/// Runs a reader of its own on each of some threads at once, and gives the time of one.
fn on_threads<R: FnMut()>(threads: u32, rounds: u64, reader: impl Fn() -> R + Sync) -> Duration {
    let (barrier, reader) = (Barrier::new(threads as usize), &reader);
    std::thread::scope(|scope| {
        let run = || {
            let mut read = reader();
            barrier.wait();
            let begin = Instant::now();
            for _ in 0..rounds {
                read();
            }
            begin.elapsed()
        };
        let all: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).sum::<Duration>() / threads
    })
}

fn reads(criterion: &mut Criterion) {
    let path = file(&sixty_lines(1));
    let live = Live::new(load(&path));
    let swap = Arc::new(ArcSwap::from_pointee(load(&path).settings));
    let (_sender, watch) = tokio::sync::watch::channel(load(&path).settings);

    let mut group = criterion.benchmark_group("read");
    macro_rules! measure {
        ($name:literal, $reader:expr) => {
            let reader = $reader;
            for threads in [1, 2] {
                group.bench_function(format!("{}/{threads}", $name), |bencher| {
                    bencher.iter_custom(|rounds| on_threads(threads, rounds, &reader));
                });
            }
        };
    }
    measure!("arc_swap load", || || {
        black_box(swap.load().six.limit);
    });
    measure!("arc_swap Cache", || {
        let mut cache = Cache::new(Arc::clone(&swap));
        move || {
            black_box(cache.load().six.limit);
        }
    });
    measure!("tokio watch", || {
        let watch = watch.clone();
        move || {
            black_box(watch.borrow().six.limit);
        }
    });
    measure!("Live reader", || {
        let mut reader = live.reader();
        move || {
            black_box(reader.get().six.limit);
        }
    });
    measure!("Live peek", || || {
        black_box(live.peek().six.limit);
    });
    measure!("Live get", || || {
        black_box(live.get().six.limit);
    });
    group.finish();
}

fn loads(criterion: &mut Criterion) {
    let path = file(&sixty_lines(1));
    let mut group = criterion.benchmark_group("load");
    group.bench_function("60 lines/config alone", |bencher| {
        bencher.iter(|| {
            let source = config::File::from(&*path);
            let config = config::Config::builder().add_source(source).build().unwrap();
            config.try_deserialize::<Settings>().unwrap()
        });
    });
    let loader = Loader::<Settings>::new().with_file(&*path);
    group.bench_function("60 lines/core-config", |bencher| bencher.iter(|| loader.load().unwrap()));

    let labels = (0..KEYS).fold("[labels]\n".to_owned(), |mut text, key| {
        writeln!(text, "key{key} = 'value{key}'").unwrap();
        text
    });
    let path = file(&labels);
    group.sample_size(10);
    group.bench_function("10,000 keys/config alone", |bencher| {
        bencher.iter(|| {
            let source = config::File::from(&*path);
            let config = config::Config::builder().add_source(source).build().unwrap();
            config.try_deserialize::<Settings>().unwrap()
        });
    });
    let loader = Loader::<Settings>::new().with_file(&*path);
    group.bench_function("10,000 keys/core-config", |bencher| {
        bencher.iter(|| loader.load().unwrap());
    });
    group.finish();
}

fn reloads(criterion: &mut Criterion) {
    let paths = [1, 2].map(|limit| file(&sixty_lines(limit)));
    let live = Live::new(load(&paths[0]));
    for _ in 0..SUBSCRIBERS {
        live.subscribe_to(
            "bench",
            |settings| &settings.six,
            |_, new| {
                let limit = new.limit;
                Ok(Commit::new(move || {
                    black_box(limit);
                }))
            },
        );
    }
    let mut group = criterion.benchmark_group("reload");
    let mut next = [1, 0].into_iter().cycle();
    group.bench_function("applied to 100 subscribers", |bencher| {
        let loaded = || load(&paths[next.next().unwrap()]);
        let apply = |loaded| assert!(!live.apply(loaded).unwrap().changed.is_empty());
        bencher.iter_batched(loaded, apply, BatchSize::PerIteration);
    });
    group.bench_function("unchanged", |bencher| {
        let current = if live.get().six.limit == 1 { &paths[0] } else { &paths[1] };
        let apply = |loaded| assert!(live.apply(loaded).unwrap().changed.is_empty());
        bencher.iter_batched(|| load(current), apply, BatchSize::PerIteration);
    });
    group.finish();
}

/// A decision for one subject, by each kind of rule.
fn flags(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flags");
    for (name, written) in [
        ("switch", "true"),
        ("share", "\"25%\""),
        ("allow", r#"{"allow": ["alice", "bob", "user-17"]}"#),
    ] {
        let flag: Flag = serde_json::from_str(written).expect("a flag");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&flag).decide("new_planner", black_box("user-17")));
        });
    }
}

criterion_group!(benches, reads, loads, reloads, flags);
criterion_main!(benches);
