//! What a line costs its caller, beside `tracing-subscriber`'s JSON in the same run: the same event
//! inside the same span; here with correlation, redaction and a level filter on.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that cannot go on fails")]

use std::fs::File;
use std::hint::black_box;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use core_log::{Config, Event, Logging, Options};
use core_types::{CorrelationId, RequestId, Scope};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use tracing::{Dispatch, debug, dispatcher, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{Registry, fmt};

/// A place that keeps the last lines only, or a file.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<(Vec<u8>, Option<File>)>>);

impl Place {
    fn file(path: &Path) -> Self {
        let place = Self::default();
        place.set(Some(File::create(path).unwrap()));
        place
    }

    fn set(&self, file: Option<File>) {
        self.0.lock().unwrap().1 = file;
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (kept, file) = &mut *self.0.lock().unwrap();
        if let Some(file) = file {
            return file.write(bytes);
        }
        if kept.len() > 1 << 20 {
            kept.clear();
        }
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LEVELS: &str = "info,hyper=warn";

/// Who is measured.
enum Subject {
    /// The log of the process.
    Ours { logging: Logging, place: Place, dropped: Arc<AtomicU64> },
    /// `tracing-subscriber`, which makes one write a line.
    Theirs(Dispatch),
}

impl Subject {
    fn ours() -> Self {
        let dropped = Arc::<AtomicU64>::default();
        let (count, place) = (Arc::clone(&dropped), Place::default());
        let options = Options::new().with_destination(place.clone()).with_observer(move |event| {
            if let Event::Dropped { lines, .. } = event {
                count.fetch_add(*lines, Ordering::Relaxed);
            }
        });
        let logging = Logging::install(options).unwrap();
        let mut config = Config::default();
        config.level = LEVELS.parse().unwrap();
        config.redact = vec!["ssn".into(), "iban".into()];
        logging.configure(&config);
        logging.scrub(&["canary-of-the-database".into(), "canary-of-the-queue".into()]);
        Self::Ours { logging, place, dropped }
    }

    fn theirs(place: Place) -> Self {
        let layer = fmt::layer().json().flatten_event(true);
        let layer = layer.with_writer(move || place.clone());
        let levels: Targets = LEVELS.parse().unwrap();
        Self::Theirs(Dispatch::new(Registry::default().with(layer.with_filter(levels))))
    }

    fn name(&self) -> &'static str {
        if matches!(self, Self::Ours { .. }) { "ours" } else { "tracing-subscriber" }
    }

    fn run<R>(&self, work: impl FnOnce() -> R) -> R {
        match self {
            Self::Ours { .. } => work(),
            Self::Theirs(dispatch) => dispatcher::with_default(dispatch, work),
        }
    }

    /// Waits until everything is written, which is not the caller's cost.
    fn settle(&self) {
        if let Self::Ours { logging, dropped, .. } = self {
            assert!(logging.flush(Duration::from_secs(60)));
            assert_eq!(dropped.load(Ordering::Relaxed), 0, "a dropped line costs nothing");
        }
    }

    fn measure(
        &self,
        group: &mut BenchmarkGroup<'_, WallTime>,
        now: fn() -> Duration,
        work: impl Fn(u64),
    ) {
        group.bench_function(self.name(), |bencher| {
            bencher.iter_custom(|times| {
                // As many lines as may wait, for a disk is slower than this.
                let mut spent = Duration::ZERO;
                for start in (0..times).step_by(BURST) {
                    let burst = (times - start).min(BURST as u64);
                    let before = now();
                    self.run(|| work(burst));
                    spent += now().saturating_sub(before);
                    self.settle();
                }
                spent
            });
        });
    }
}

/// What the caller has spent: of its own time, for other work on the machine is none of its cost.
fn on_processor() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.try_into().unwrap()
}

fn on_the_wall() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Lines that are written at once: less than 8 MiB.
const BURST: usize = 8000;

fn event() {
    info!(
        message_type = black_box("generate_plan"),
        attempt = black_box(3_u64),
        ratio = black_box(0.25_f64),
        outcome = black_box("accepted"),
        "Processing message"
    );
}

fn span() -> tracing::Span {
    info_span!("request", tenant = black_box("blue"), route = black_box("/v1/plan"), user = "ada")
}

fn scope() -> Scope {
    Scope::root()
        .with_correlation_id(CorrelationId::generate())
        .with_request_id(RequestId::generate())
}

fn in_span(times: u64) {
    let _scope = scope().enter();
    let _span = span().entered();
    (0..times).for_each(|_| event());
}

fn lines(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let ours = Subject::ours();
    let theirs = Subject::theirs(Place::default());
    let to_file = Subject::theirs(Place::file(&folder.path().join("theirs")));
    let Subject::Ours { place, .. } = &ours else { unreachable!("made above") };

    let mut group = criterion.benchmark_group("memory");
    for subject in [&ours, &theirs] {
        subject.measure(&mut group, on_processor, in_span);
    }
    group.finish();

    let mut group = criterion.benchmark_group("span");
    for subject in [&ours, &theirs] {
        subject.measure(&mut group, on_processor, |times| {
            let _scope = scope().enter();
            (0..times).for_each(|_| span().in_scope(event));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("file");
    place.set(Some(File::create(folder.path().join("ours")).unwrap()));
    for subject in [&ours, &to_file] {
        subject.measure(&mut group, on_processor, in_span);
    }
    place.set(None);
    group.finish();

    let mut group = criterion.benchmark_group("disabled");
    for subject in [&ours, &theirs] {
        subject.measure(&mut group, on_processor, |times| {
            (0..times).for_each(|_| debug!(attempt = black_box(3), "unseen"));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("threads");
    for subject in [&ours, &theirs] {
        subject.measure(&mut group, on_the_wall, |times| {
            let dispatch = dispatcher::get_default(Clone::clone);
            let half = || match subject {
                Subject::Ours { .. } => in_span(times / 2),
                Subject::Theirs(_) => dispatcher::with_default(&dispatch, || in_span(times / 2)),
            };
            std::thread::scope(|threads| {
                threads.spawn(half);
                half();
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = lines
}
criterion_main!(benches);
