//! CFG-6 by force: random sequences of edits, with subscribers that do their worst.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use core_config::schemars::{self, JsonSchema};
use core_config::{
    Applied, Commit, Error, Event, Live, Loaded, Loader, Problems, Refusal, Validate,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::{Deserialize, Serialize};

/// How many sequences. Each has up to twelve edits.
const SEQUENCES: u32 = 1000;
/// Longer than any wait here can be, unless something is broken.
const LIMIT: Duration = Duration::from_secs(30);
const SUBSCRIBERS: [&str; 3] = ["a", "b", "c"];

/// Both are always written together; a torn read would show two different numbers.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Pair {
    left: u64,
    right: u64,
}

impl Validate for Pair {
    fn validate(&self, problems: &mut Problems) {
        problems.require(self.left == self.right, "left", "must equal `right`");
        if self.left == PANICS {
            panic();
        }
    }
}

/// Panics without a report, of which thousands would be made.
fn panic() -> ! {
    resume_unwind(Box::new("on purpose"))
}

/// The rules panic at this number.
const PANICS: u64 = 99;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Text {
    Good,
    /// One that no type accepts.
    Malformed,
    /// One that breaks a rule.
    Torn,
    /// One at which the rules panic.
    Panicking,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Agree,
    Refuse,
    Panic,
    /// Agrees when readers have gone on for a while.
    Slowly,
    /// Agrees when somebody else has ended the wait.
    Hang,
    /// Agrees, and panics when the change is made.
    AgreeAndPanic,
}

#[derive(Clone, Debug)]
struct Edit {
    value: u64,
    text: Text,
    answers: [Answer; 3],
}

fn edit() -> impl Strategy<Value = Edit> {
    let text = prop_oneof![
        8 => Just(Text::Good),
        1 => Just(Text::Malformed),
        1 => Just(Text::Torn),
        1 => Just(Text::Panicking),
    ];
    let answer = || {
        prop_oneof![
            30 => Just(Answer::Agree),
            3 => Just(Answer::Refuse),
            2 => Just(Answer::Panic),
            2 => Just(Answer::Slowly),
            1 => Just(Answer::Hang),
            2 => Just(Answer::AgreeAndPanic),
        ]
    };
    // Few values, so that some edits change nothing.
    let answers = [answer(), answer(), answer()];
    (0..4_u64, text, answers).prop_map(|(value, text, answers)| Edit { value, text, answers })
}

fn load(value: u64, text: Text) -> Result<Loaded<Pair>, Error> {
    let left = match text {
        Text::Good => value.to_string(),
        Text::Malformed => "many".into(),
        Text::Torn => (value + 1).to_string(),
        Text::Panicking => PANICS.to_string(),
    };
    let right = if text == Text::Panicking { left.clone() } else { value.to_string() };
    let variables = [("APP_LEFT".to_owned(), left), ("APP_RIGHT".to_owned(), right)];
    Loader::new().with_environment("APP", variables).load()
}

/// What a host shows, made from the events alone.
#[derive(Clone, Debug, Default, PartialEq)]
struct Shown {
    successful: bool,
    generation: u64,
    commit_panics: Vec<&'static str>,
}

struct Bench {
    live: Live<Pair>,
    shown: Arc<Mutex<Shown>>,
    /// What each subscriber does at the next edit.
    answers: Arc<Mutex<[Answer; 3]>>,
    /// What each subscriber has made of the changes.
    made: [Arc<AtomicU64>; 3],
    /// A subscriber hangs.
    hangs: Receiver<()>,
    release: Sender<()>,
}

impl Bench {
    fn new(reads: &Arc<AtomicU64>) -> Self {
        let shown =
            Arc::new(Mutex::new(Shown { successful: true, generation: 1, ..Shown::default() }));
        let told = Arc::clone(&shown);
        let live = Live::with_observer(load(0, Text::Good).unwrap(), move |event| {
            let mut shown = told.lock().unwrap();
            match event {
                Event::Applied(Applied { generation, .. }) => {
                    (shown.successful, shown.generation) = (true, *generation);
                }
                Event::Unchanged => shown.successful = true,
                Event::Refused { .. } => shown.successful = false,
                Event::CommitPanicked { subscriber, .. } => shown.commit_panics.push(subscriber),
                other => panic!("{other:?}"),
            }
        });
        let answers = Arc::new(Mutex::new([Answer::Agree; 3]));
        let made: [Arc<AtomicU64>; 3] = Default::default();
        let (hang, hangs) = channel();
        let (release, released) = channel::<()>();
        let released = Arc::new(Mutex::new(released));
        for (index, name) in SUBSCRIBERS.into_iter().enumerate() {
            let (answers, made, own) =
                (Arc::clone(&answers), Arc::clone(&made[index]), live.clone());
            let (reads, hang, released) = (Arc::clone(reads), hang.clone(), Arc::clone(&released));
            live.subscribe(name, move |old, new| {
                let answer = answers.lock().unwrap()[index];
                let value = new.left;
                match answer {
                    Answer::Refuse => return Err("no".into()),
                    Answer::Panic => panic(),
                    Answer::Slowly => {
                        let (before, end) = (reads.load(Ordering::SeqCst), Instant::now() + LIMIT);
                        while reads.load(Ordering::SeqCst) < before + 2 {
                            assert!(Instant::now() < end, "readers have stopped");
                            std::thread::yield_now();
                        }
                        assert_eq!(own.get().left, old.left, "nothing has changed yet");
                    }
                    Answer::Hang => {
                        hang.send(()).unwrap();
                        released.lock().unwrap().recv_timeout(LIMIT).unwrap();
                    }
                    Answer::Agree | Answer::AgreeAndPanic => {}
                }
                let made = Arc::clone(&made);
                Ok(Commit::new(move || {
                    if answer == Answer::AgreeAndPanic {
                        panic();
                    }
                    made.store(value, Ordering::SeqCst);
                }))
            });
        }
        Self { live, shown, answers, made, hangs, release }
    }

    /// Applies what was loaded; where a subscriber hangs, somebody gives the change up.
    fn apply(&self, loaded: Loaded<Pair>, hanging: usize) -> Result<Applied, Refusal> {
        if hanging == 0 {
            return self.live.apply(loaded);
        }
        std::thread::scope(|threads| {
            let live = self.live.clone();
            let applying = threads.spawn(move || live.apply(loaded));
            for number in 0..hanging {
                self.hangs.recv_timeout(LIMIT).unwrap();
                // Given up at the first, it is refused whatever the others say.
                assert_eq!(self.live.give_up().is_some(), number == 0);
                self.release.send(()).unwrap();
            }
            applying.join().unwrap()
        })
    }
}

/// What must be true, in thirty lines.
struct Model {
    value: u64,
    made: [u64; 3],
    shown: Shown,
}

impl Model {
    fn apply(&mut self, Edit { value, text, answers }: &Edit) {
        let is_refused =
            |answer: &Answer| matches!(answer, Answer::Refuse | Answer::Panic | Answer::Hang);
        if *text != Text::Good || (self.value != *value && answers.iter().any(is_refused)) {
            self.shown.successful = false;
            return;
        }
        self.shown.successful = true;
        if self.value == *value {
            return;
        }
        self.value = *value;
        self.shown.generation += 1;
        for ((made, name), answer) in self.made.iter_mut().zip(SUBSCRIBERS).zip(answers) {
            if *answer == Answer::AgreeAndPanic {
                self.shown.commit_panics.push(name);
            } else {
                *made = *value;
            }
        }
    }
}

fn run(edits: &[Edit]) -> Result<(), TestCaseError> {
    let reads = Arc::new(AtomicU64::new(0));
    let bench = Bench::new(&reads);
    let mut model = Model { value: 0, made: [0; 3], shown: bench.shown.lock().unwrap().clone() };
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        // Ends the reader also where an assertion ends this.
        let _over = Over(&is_over);
        let (mut reader, reads, is_over) = (bench.live.reader(), &reads, &is_over);
        threads.spawn(move || {
            let mut last = 0;
            while !is_over.load(Ordering::Relaxed) {
                let seen = reader.get();
                assert!(seen.left == seen.right && seen.number >= last, "{seen:?} after {last}");
                last = seen.number;
                reads.fetch_add(1, Ordering::SeqCst);
                // Where there are few cores, the others have to go on, too.
                std::thread::yield_now();
            }
        });
        // The next good edit applies, whatever was before.
        let last = Edit { value: 7, text: Text::Good, answers: [Answer::Agree; 3] };
        for edit in edits.iter().chain([&last]) {
            *bench.answers.lock().unwrap() = edit.answers;
            let pinned = bench.live.get();
            let is_changed = match load(edit.value, edit.text) {
                Err(error) => {
                    bench.live.refuse(&error);
                    false
                }
                Ok(loaded) => {
                    let is_hanging = |answer: &&Answer| **answer == Answer::Hang;
                    let is_same = edit.value == model.value;
                    let hanging = edit.answers.iter().filter(is_hanging).count();
                    bench
                        .apply(loaded, if is_same { 0 } else { hanging })
                        .is_ok_and(|applied| !applied.changed.is_empty())
                }
            };
            model.apply(edit);
            let now = bench.live.get();
            prop_assert_eq!((now.left, now.right), (model.value, model.value));
            prop_assert_eq!(now.number, model.shown.generation);
            prop_assert_eq!(
                is_changed,
                !Arc::ptr_eq(&pinned, &now),
                "a refused edit changes nothing"
            );
            prop_assert_eq!(
                bench.made.each_ref().map(|made| made.load(Ordering::SeqCst)),
                model.made
            );
            prop_assert_eq!(&*bench.shown.lock().unwrap(), &model.shown);
            let effective = now.effective.to_string();
            prop_assert_eq!(effective, format!("left = {0}\nright = {0}\n", model.value));
        }
        Ok(())
    })
}

struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// CFG-6: whatever subscribers do, readers see one generation, a refused edit changes nothing
/// anywhere, what is shown is true, and the next good edit applies.
#[test]
fn a_thousand_sequences_of_edits() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() };
    let sequences = proptest::collection::vec(edit(), 1..12);
    TestRunner::new_with_rng(config, rng).run(&sequences, |edits| run(&edits)).unwrap();
}
