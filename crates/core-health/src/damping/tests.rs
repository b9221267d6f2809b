use proptest::prelude::*;

use super::*;

/// What the status must be, told from the whole history instead of from counters.
fn model(history: &[Status], rise: usize, fall: usize) -> Option<Status> {
    let mut status = None;
    for end in 1..=history.len() {
        let last = |n: usize| (end >= n).then(|| &history[end - n..end]);
        status = match status {
            None if history[end - 1] == Status::Unhealthy => Some(Status::Unhealthy),
            None => last(rise).and_then(|window| window.iter().max().copied()),
            Some(now) => {
                let mildest = last(fall).and_then(|window| window.iter().min().copied());
                let worst = last(rise).and_then(|window| window.iter().max().copied());
                Some(match (mildest, worst) {
                    (Some(mildest), _) if mildest > now => mildest,
                    (_, Some(worst)) if worst < now => worst,
                    _ => now,
                })
            }
        };
    }
    status
}

proptest! {
    /// HLT-3: rise and fall counts damp flapping.
    #[test]
    fn the_counters_agree_with_the_history(
        history in proptest::collection::vec(proptest::sample::select(&LEVELS[..]), 0..60),
        rise in 1u32..5,
        fall in 1u32..5,
    ) {
        let mut damping = Damping::new(rise, fall);
        for end in 0..=history.len() {
            let expected = model(&history[..end], rise as usize, fall as usize);
            prop_assert_eq!(damping.status(), expected, "after {:?}", &history[..end]);
            if let Some(&next) = history.get(end) {
                damping.observe(next);
            }
        }
    }

    /// HLT-3: a status never changes on fewer results than asked for.
    #[test]
    fn a_streak_that_is_too_short_changes_nothing(fall in 2u32..8, streak in 1u32..8) {
        let mut damping = Damping::new(1, fall);
        damping.observe(Status::Healthy);
        for _ in 0..streak {
            damping.observe(Status::Unhealthy);
        }
        let expected = if streak < fall { Status::Healthy } else { Status::Unhealthy };
        prop_assert_eq!(damping.status(), Some(expected));
    }
}

#[test]
fn undamped_the_status_is_the_last_result() {
    let mut damping = Damping::new(1, 1);
    for status in [LEVELS[1], LEVELS[2], LEVELS[0], LEVELS[2], LEVELS[1]] {
        damping.observe(status);
        assert_eq!(damping.status(), Some(status));
    }
}

#[test]
fn what_was_forgotten_has_to_be_earned_again() {
    let mut damping = Damping::new(2, 1);
    damping.observe(Status::Healthy);
    damping.observe(Status::Healthy);
    assert_eq!(damping.status(), Some(Status::Healthy));
    damping.forget();
    assert_eq!(damping.status(), None);
    damping.observe(Status::Healthy);
    assert_eq!(damping.status(), None);
    damping.observe(Status::Degraded);
    assert_eq!(damping.status(), Some(Status::Degraded));
}
