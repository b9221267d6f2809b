//! Random numbers for ids, without a dependency.
//!
//! The standard library seeds [`RandomState`] from the operating system, once a thread. `SipHash`
//! under that key is a pseudo-random function, so hashing a counter gives numbers that neither
//! repeat nor can be guessed. Good for ids; keys and tokens need a real generator. The ids of traces
//! and spans, of which there are many and which nobody gains by guessing, come from a quicker one.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

thread_local! {
    static SOURCE: (RandomState, Cell<u64>) = (RandomState::new(), const { Cell::new(0) });
}

pub(crate) fn u64() -> u64 {
    SOURCE.with(|(key, counter)| {
        let n = counter.get();
        counter.set(n.wrapping_add(1));
        key.hash_one(n)
    })
}

pub(crate) fn u128() -> u128 {
    (u128::from(u64()) << 64) | u128::from(u64())
}

/// Wang Yi's `wyrand`, whose second constant is random too: no two threads draw the same row.
pub(crate) fn quick_u64() -> u64 {
    thread_local! {
        static STATE: (Cell<u64>, u64) = (Cell::new(u64()), u64());
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

pub(crate) fn quick_u128() -> u128 {
    (u128::from(quick_u64()) << 64) | u128::from(quick_u64())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn threads_draw_different_numbers() {
        for source in [super::u64, super::quick_u64] {
            let draw = || (0..1000).map(|_| source()).collect::<Vec<_>>();
            let drawn: HashSet<u64> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(draw)).collect();
                threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
            });
            assert_eq!(drawn.len(), 4000);
        }
    }

    /// LOG-3: of every bit one half, as the flag for random trace ids says.
    #[test]
    fn every_bit_is_random() {
        const DRAWN: u32 = 20_000;
        let drawn: Vec<u64> = (0..DRAWN).map(|_| super::quick_u64()).collect();
        for bit in 0..64 {
            let ones = drawn.iter().filter(|number| *number >> bit & 1 == 1).count();
            // Seven standard deviations: once in a thousand million runs.
            assert!(ones.abs_diff(DRAWN as usize / 2) < 500, "{bit}: {ones}");
        }
    }
}
