use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// One lease, and all the trouble that a server, a network and a laptop's lid can make.
#[derive(Clone, Debug)]
struct Case {
    seconds: u64,
    is_renewable: bool,
    /// What the server prolongs it to in all.
    most: u64,
    /// How each attempt ends: well, not answered, refused.
    ends: Vec<u8>,
    /// How long the machine sleeps before each look, in parts of a thousand of the lease.
    naps: Vec<u16>,
    randoms: Vec<f64>,
}

fn any_case() -> impl Strategy<Value = Case> {
    let seconds = prop_oneof![1_u64..10, 10_u64..4000, 4000_u64..3_000_000];
    let outcome = prop_oneof![4 => Just(0_u8), 3 => Just(1), 1 => Just(2)];
    let nap = prop_oneof![9 => Just(0_u16), 1 => 0_u16..3000];
    (
        seconds,
        any::<bool>(),
        1.0..8.0_f64,
        proptest::collection::vec(outcome, 64),
        proptest::collection::vec(nap, 64),
        proptest::collection::vec(0.0..1.0_f64, 64),
    )
        .prop_map(|(seconds, is_renewable, most, ends, naps, randoms)| {
            let most = Duration::from_secs(seconds).mul_f64(most).as_secs();
            Case { seconds, is_renewable, most, ends, naps, randoms }
        })
}

fn lease(seconds: u64, is_renewable: bool) -> Lease {
    Lease::new("1", Duration::from_secs(seconds)).renewable(is_renewable)
}

proptest! {
    /// SEC-3: whatever happens to a lease, there is no hot loop, it is replaced once, and unless the
    /// machine slept through it, that is first tried before its end.
    #[test]
    fn every_lease_is_kept_by_the_rules(case in any_case()) {
        let full = Duration::from_secs(case.seconds);
        let start = Instant::now();
        let (mut now, mut slept) = (start, Duration::ZERO);
        let random = |number: usize| case.randoms[number % 64];
        let mut term = Term::new(lease(case.seconds, case.is_renewable), now, slept, random(0));
        // The server counts the time that the machine sleeps.
        let dies = |granted: u64, at: Duration| (at + Duration::from_secs(granted)).min(Duration::from_secs(case.most.max(case.seconds)));
        let mut dead = dies(case.seconds, Duration::ZERO);
        let (mut tried, mut slept_through) = (false, false);
        let mut attempts: Vec<(Duration, Step)> = Vec::new();
        let mut renewals = 0;
        // A lease of weeks on a machine that never sleeps is looked at very often.
        let looks = 20_000 + usize::try_from(case.most / SLICE.as_secs()).unwrap();
        for look in 0.. {
            prop_assert!(look < looks, "nothing comes of it");
            now = term.wake(now).max(now);
            let nap = full.mul_f64(f64::from(case.naps[look % 64]) / 1000.0);
            slept += nap;
            term.look(slept);
            let real = (now - start) + slept;
            slept_through |= real >= dead && !nap.is_zero();
            let Some(step) = term.due(now) else { continue };
            tried |= step == Step::Replace && real < dead;
            if let Some((last, before)) = attempts.last() {
                let least = (full / 20).clamp(LEAST, MOST_LEAST);
                // At once only from one kind to the other, which happens once for each lease.
                let is_other = *before == Step::Renew && step == Step::Replace;
                prop_assert!(real.saturating_sub(*last) >= least || is_other, "{step:?} at {real:?} after {last:?}");
            }
            attempts.push((real, step));
            let random = random(attempts.len());
            match (step, case.ends[(attempts.len() - 1) % 64]) {
                (Step::Renew, 0) if real < dead => {
                    dead = dies(case.seconds, real);
                    renewals += 1;
                    term.renewed(lease(dead.saturating_sub(real).as_secs(), true), now, now, random);
                }
                (Step::Replace, 0) => break,
                (_, outcome) => term.failed(now, outcome == 2, random),
            }
            if attempts.len() > 200 {
                break;
            }
        }
        prop_assert!(tried || slept_through, "never read anew before the end: {attempts:?}");
        // Between two grants a handful of attempts, for each halving of the time that is left.
        let halvings = usize::try_from(case.seconds.ilog2()).unwrap_or(0);
        let before_end = attempts.iter().filter(|(at, _)| *at < dead).count();
        let most = (renewals + 1) * (8 + halvings);
        prop_assert!(before_end <= most, "{before_end} attempts: {attempts:?}");
    }

    /// SEC-3: the first attempt comes between two thirds and three quarters of the lease, and not at
    /// the same moment in a whole fleet.
    #[test]
    fn the_first_attempt_is_after_two_thirds(seconds in 1_u64..3_000_000, random in 0.0..1.0_f64) {
        let start = Instant::now();
        let full = Duration::from_secs(seconds);
        let term = Term::new(lease(seconds, true), start, Duration::ZERO, random);
        prop_assert_eq!(term.due(start + full.mul_f64(0.666)), None);
        prop_assert_eq!(term.due(start + full.mul_f64(0.75)), Some(Step::Renew));
        let other = Term::new(lease(seconds, true), start, Duration::ZERO, (random + 0.5) % 1.0);
        prop_assert!(term.next.max(other.next) - term.next.min(other.next) >= full / 40);
    }
}

/// SEC-3: an answer that grants less than was asked for says that the last end is near: the value is
/// read anew with a third of a whole lease left.
#[test]
fn a_shortened_answer_leads_to_another_lease() {
    let start = Instant::now();
    let mut term = Term::new(lease(60, true), start, Duration::ZERO, 0.0);
    let at = |seconds| start + SECOND * seconds;
    term.renewed(lease(60, true), at(40), at(40), 0.0);
    assert_eq!((term.due(at(79)), term.due(at(80))), (None, Some(Step::Renew)));
    term.renewed(lease(30, true), at(80), at(80), 0.0);
    assert_eq!((term.due(at(89)), term.due(at(90))), (None, Some(Step::Replace)));
    assert_eq!(term.ends(), at(110));
}

/// SEC-3: a renewal that is refused for good leads to another lease at once, and once.
#[test]
fn a_refused_renewal_leads_to_another_lease() {
    let start = Instant::now();
    let mut term = Term::new(lease(60, true), start, Duration::ZERO, 0.0);
    let at = |seconds| start + SECOND * seconds;
    term.failed(at(40), true, 0.0);
    assert_eq!(term.due(at(40)), Some(Step::Replace));
    term.failed(at(40), true, 0.0);
    assert_eq!(term.due(at(42)), None, "another refusal waits");
}

/// SEC-3: a machine that slept has less left of a lease than its clock says.
#[test]
fn sleep_counts() {
    let start = Instant::now();
    let mut term = Term::new(lease(3600, true), start, Duration::ZERO, 0.0);
    term.look(SECOND * 3000);
    assert_eq!(term.due(start), Some(Step::Renew));
    term.look(SECOND * 3700);
    assert_eq!(term.due(start), Some(Step::Replace), "what is over cannot be prolonged");
}

/// SEC-3: a lease that ends with its login is replaced in time.
#[test]
fn a_lease_ends_with_its_login() {
    let start = Instant::now();
    let at = |seconds| start + SECOND * seconds;
    let mut term = Term::new(lease(3600, true), start, Duration::ZERO, 0.0);
    term.cap(at(50), at(10), 0.5);
    assert_eq!((term.due(at(19)), term.due(at(20))), (None, Some(Step::Replace)));
    assert_eq!(term.ends(), at(50));
}
