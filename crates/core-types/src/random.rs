//! Random numbers for ids, without a dependency.
//!
//! They are quick, and whoever has seen some could compute the next: good for ids, which nobody gains
//! by guessing; keys and tokens need a real generator.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

/// Wang Yi's `wyrand`, whose second constant is random too: no two threads draw the same row.
pub(crate) fn u64() -> u64 {
    thread_local! {
        static STATE: (Cell<u64>, u64) = (Cell::new(seed()), seed());
    }
    STATE.with(|(state, key)| {
        let next = state.get().wrapping_add(0xa076_1d64_78bd_642f);
        state.set(next);
        let product = u128::from(next) * u128::from(next ^ key);
        #[expect(clippy::cast_possible_truncation, reason = "both halves are used")]
        let (low, high) = (product as u64, (product >> 64) as u64);
        low ^ high
    })
}

pub(crate) fn u128() -> u128 {
    (u128::from(u64()) << 64) | u128::from(u64())
}

/// The standard library seeds [`RandomState`] from the operating system, once a thread, and makes each
/// another one; `SipHash` under that key is a pseudo-random function.
fn seed() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn threads_draw_different_numbers() {
        let draw = || (0..1000).map(|_| super::u64()).collect::<Vec<_>>();
        let drawn: HashSet<u64> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(drawn.len(), 4000);
    }

    /// LOG-3: of every bit one half, as the flag for random trace ids says.
    #[test]
    fn every_bit_is_random() {
        const DRAWN: u32 = 20_000;
        let drawn: Vec<u64> = (0..DRAWN).map(|_| super::u64()).collect();
        for bit in 0..64 {
            let ones = drawn.iter().filter(|number| *number >> bit & 1 == 1).count();
            // Seven standard deviations: once in a thousand million runs.
            assert!(ones.abs_diff(DRAWN as usize / 2) < 500, "{bit}: {ones}");
        }
    }
}
