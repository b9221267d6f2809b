//! What secrets cost: a cached read beside the maps that people use, a refresh of ten thousand, and
//! many callers on one cold secret.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use core_secrets::backend::{Answer, Backend, SecretData};
use core_secrets::{Config, Secrets};
use core_types::Secret;
use criterion::{Criterion, criterion_group, criterion_main};
use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

/// Answers after a while, and counts.
struct Slow(Duration, Arc<AtomicU64>);

impl Backend for Slow {
    fn get<'a>(&'a self, _: &'a str, key: Option<&'a str>) -> Answer<'a> {
        Box::pin(async move {
            self.1.fetch_add(1, Ordering::Relaxed);
            if !self.0.is_zero() {
                tokio::time::sleep(self.0).await;
            }
            Ok(SecretData::new().with(key, Secret::from("canary-of-forty-characters-like-a-token")))
        })
    }
}

fn secrets(takes: Duration) -> (Secrets, Arc<AtomicU64>) {
    let mut config = Config::default();
    config.backend = "slow".into();
    let asked = Arc::new(AtomicU64::new(0));
    let backend = Slow(takes, Arc::clone(&asked));
    (Secrets::builder(config).with_backend("slow", backend).build().unwrap(), asked)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn path(number: usize) -> String {
    format!("app/secret-{number}")
}

fn reads(criterion: &mut Criterion) {
    const COUNT: usize = 200;
    let runtime = runtime();
    let (secrets, _) = secrets(Duration::ZERO);
    let mut map = HashMap::new();
    for number in 0..COUNT {
        let value = runtime.block_on(secrets.get(&path(number), Some("password"))).unwrap();
        map.insert((path(number), "password".to_owned()), value);
    }
    let (wanted, key) = (path(77), "password".to_owned());
    let mut group = criterion.benchmark_group("cached read");
    let locked = RwLock::new(map.clone());
    let of_map = (wanted.clone(), key.clone());
    group.bench_function("HashMap behind RwLock", |bencher| {
        bencher.iter(|| locked.read().unwrap().get(black_box(&of_map)).cloned());
    });
    let swapped = ArcSwap::from_pointee(map);
    group.bench_function("HashMap behind ArcSwap", |bencher| {
        bencher.iter(|| swapped.load().get(black_box(&of_map)).cloned());
    });
    group.bench_function("Secrets::cached", |bencher| {
        bencher.iter(|| secrets.cached(black_box(&wanted), Some(black_box(&key))));
    });
    group.finish();
}

fn refresh(criterion: &mut Criterion) {
    let runtime = runtime();
    let (secrets, _) = secrets(Duration::ZERO);
    for number in 0..10_000 {
        runtime.block_on(secrets.get(&path(number), Some("password"))).unwrap();
    }
    criterion.bench_function("ten thousand refreshed", |bencher| {
        bencher.iter(|| runtime.block_on(secrets.refresh_now()));
    });
}

fn callers(criterion: &mut Criterion) {
    let runtime = runtime();
    criterion.bench_function("64 callers on one cold secret of 1 ms", |bencher| {
        bencher.iter(|| {
            let (secrets, asked) = secrets(Duration::from_millis(1));
            let all = (0..64).map(|_| secrets.get("app/cold", Some("password")));
            runtime.block_on(async {
                join_all(all).await.into_iter().for_each(|got| drop(got.unwrap()));
            });
            assert_eq!(asked.load(Ordering::Relaxed), 1, "one asks");
        });
    });
}

criterion_group!(benches, reads, refresh, callers);
criterion_main!(benches);
