//! SEC-3, SEC-5: values that are lent, by a backend that plays a server and its troubles.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_secrets::backend::{Answer, Asked, Backend, BackendError, Lease, SecretData};
use core_secrets::{Config, Event, Secrets};
use proptest::prelude::*;
use tokio::time::{Instant, timeout};

use crate::support::SECOND;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    /// It never arrives.
    Unreached,
    /// It is done, and its answer is lost.
    Lost,
    Refused,
}

#[derive(Default)]
struct Books {
    /// Each credential that was made, with its end now.
    made: Vec<(Instant, Instant)>,
    requests: Vec<Instant>,
    revoked: Vec<String>,
}

/// Lends one credential after the other.
struct Lender {
    lives: Duration,
    at_most: Duration,
    fates: Vec<Fate>,
    books: Mutex<Books>,
}

impl Lender {
    fn new(lives: u64, at_most: u64, fates: Vec<Fate>) -> Arc<Self> {
        let (lives, at_most) =
            (SECOND * u32::try_from(lives).unwrap(), SECOND * u32::try_from(at_most).unwrap());
        Arc::new(Self { lives, at_most, fates, books: Mutex::default() })
    }

    fn fate(&self, books: &mut Books) -> Fate {
        books.requests.push(Instant::now());
        // The first is to succeed, for something must be lent.
        let number = books.requests.len() - 1;
        if number == 0 {
            Fate::Well
        } else {
            self.fates.get(number % self.fates.len().max(1)).copied().unwrap_or(Fate::Well)
        }
    }

    fn answer<T>(fate: Fate, answer: T) -> Result<T, BackendError> {
        match fate {
            Fate::Well => Ok(answer),
            Fate::Unreached | Fate::Lost => Err(BackendError::unavailable("no answer")),
            Fate::Refused => Err(BackendError::denied("no")),
        }
    }
}

impl Backend for Lender {
    fn get<'a>(&'a self, _: &'a str, _: Option<&'a str>) -> Answer<'a> {
        let mut books = self.books.lock().unwrap();
        let fate = self.fate(&mut books);
        let now = Instant::now();
        let lives = self.lives.min(self.at_most);
        if matches!(fate, Fate::Well | Fate::Lost) {
            books.made.push((now, now + lives));
        }
        let number = books.made.len();
        let value = |name: &str| format!("{name}-{number}").into();
        let data = SecretData::new()
            .with(Some("user"), value("user"))
            .with(Some("password"), value("canary"));
        let lease = Lease::new(number.to_string(), lives).renewable(true);
        Box::pin(ready(Self::answer(fate, data.with_lease(lease))))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> Asked<'a, Lease> {
        let mut books = self.books.lock().unwrap();
        let fate = self.fate(&mut books);
        let now = Instant::now();
        let number: usize = lease.id().parse().unwrap();
        let (made, ends) = &mut books.made[number - 1];
        if now >= *ends {
            return Box::pin(ready(Err(BackendError::invalid("no such lease"))));
        }
        let until = (now + self.lives).min(*made + self.at_most);
        if matches!(fate, Fate::Well | Fate::Lost) {
            *ends = until;
        }
        let lease = Lease::new(lease.id(), until - now).renewable(true);
        Box::pin(ready(Self::answer(fate, lease)))
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Asked<'a, ()> {
        self.books.lock().unwrap().revoked.push(lease.id().to_owned());
        Box::pin(ready(Ok(())))
    }
}

fn secrets(lender: &Arc<Lender>) -> Secrets {
    let mut config = Config::default();
    config.backend = "lender".into();
    Secrets::builder(config).with_backend("lender", Arc::clone(lender)).build().unwrap()
}

async fn ask(secrets: &Secrets) -> String {
    secrets.get("db", Some("user")).await.unwrap();
    secrets.get("db", Some("password")).await.unwrap().expose().clone()
}

/// SEC-3: both keys are of one lease, which is prolonged without a change of either, and replaced
/// before its last end.
#[tokio::test(start_paused = true)]
async fn a_lease_is_kept() {
    let lender = Lender::new(60, 200, Vec::new());
    let secrets = secrets(&lender);
    assert_eq!(ask(&secrets).await, "canary-1");
    let mut run = Box::pin(secrets.run());
    timeout(SECOND * 150, &mut run).await.unwrap_err();
    assert_eq!(ask(&secrets).await, "canary-1");
    assert_eq!(lender.books.lock().unwrap().made.len(), 1);
    timeout(SECOND * 45, &mut run).await.unwrap_err();
    assert_eq!(ask(&secrets).await, "canary-2", "before the two hundredth second");
    secrets.refresh_now().await;
    assert!(secrets.get("db", Some("missing")).await.is_err());
    assert_eq!(lender.books.lock().unwrap().made.len(), 2, "nobody makes another by asking");
}

/// SEC-5: the old lease is given back when all have accepted and no hold is left; one that is refused
/// is not; at the end all are.
#[tokio::test(start_paused = true)]
async fn an_old_lease_is_given_back_when_nobody_uses_it() {
    let lender = Lender::new(60, 60, Vec::new());
    let secrets = secrets(&lender);
    ask(&secrets).await;
    let holds = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&holds);
    let subscription = secrets.on_rotation("db", None, move |rotation| {
        kept.lock().unwrap().push(rotation.hold());
        Ok(())
    });
    let mut run = Box::pin(secrets.run());
    let revoked = || lender.books.lock().unwrap().revoked.clone();
    timeout(SECOND * 45, &mut run).await.unwrap_err();
    assert_eq!((ask(&secrets).await, revoked().len()), ("canary-2".into(), 0), "it is held");
    holds.lock().unwrap().clear();
    timeout(SECOND, &mut run).await.unwrap_err();
    assert_eq!(revoked(), ["1"]);
    drop(subscription);
    let subscription = secrets.on_rotation("db", Some("user"), |_| Err("no".into()));
    timeout(SECOND * 45, &mut run).await.unwrap_err();
    assert_eq!((ask(&secrets).await, revoked().len()), ("canary-3".into(), 1), "it is refused");
    drop(run);
    secrets.close().await;
    assert_eq!(revoked().into_iter().collect::<std::collections::BTreeSet<_>>().len(), 3);
    drop(subscription);
}

/// SEC-4: a value whose lease is over is given to nobody; whoever asks makes one request.
#[tokio::test(start_paused = true)]
async fn a_value_whose_lease_is_over_is_given_to_nobody() {
    let lender = Lender::new(60, 60, vec![Fate::Unreached]);
    let secrets = secrets(&lender);
    ask(&secrets).await;
    let mut run = Box::pin(secrets.run());
    timeout(SECOND * 59, &mut run).await.unwrap_err();
    assert!(secrets.cached("db", Some("user")).is_some());
    timeout(SECOND * 2, &mut run).await.unwrap_err();
    assert!(secrets.cached("db", Some("user")).is_none());
    assert!(secrets.status()[0].stale);
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Well), 3 => Just(Fate::Unreached), 1 => Just(Fate::Lost), 1 => Just(Fate::Refused)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// SEC-3: over random leases, last ends and faults: no hot loop, no more than one credential for
    /// each lease but those whose answer was lost, and read anew before the end unless faults
    /// forbade it.
    #[test]
    fn leases_are_kept_through_any_trouble(
        lives in 1_u64..5000,
        more in 1_u64..6,
        fates in proptest::collection::vec(any_fate(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let lender = Lender::new(lives, lives * more, fates.clone());
            let events = Arc::new(Mutex::new(Vec::new()));
            let mut config = Config::default();
            config.backend = "lender".into();
            let kept = Arc::clone(&events);
            let secrets = Secrets::builder(config)
                .with_backend("lender", Arc::clone(&lender))
                .with_observer(move |event: &Event| if let Event::Stale { .. } = event { kept.lock().unwrap().push(Instant::now()) })
                .build().unwrap();
            ask(&secrets).await;
            let full = SECOND * u32::try_from(lives).unwrap();
            let periods = 30;
            timeout(full * periods, secrets.run()).await.unwrap_err();
            let books = lender.books.lock().unwrap();
            let is_well = fates.iter().all(|fate| *fate == Fate::Well);
            // A request of either kind may follow at once on one of the other, never on two.
            let least = (full / 20).clamp(Duration::from_millis(100), SECOND * 60);
            for three in books.requests.windows(3) {
                prop_assert!(three[2] - three[0] >= least, "{:?} then {:?}", three[0], three[2]);
            }
            let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count() * (books.requests.len() / fates.len() + 1);
            let most = usize::try_from(periods).unwrap() * 3 / 2 + 2 + lost;
            prop_assert!(books.made.len() <= most, "{} were made", books.made.len());
            if is_well {
                prop_assert!(secrets.cached("db", Some("user")).is_some());
                for two in books.made.windows(2) {
                    prop_assert!(two[1].0 < two[0].1, "made after the end of the one before");
                }
            }
            Ok(())
        })?;
    }
}
