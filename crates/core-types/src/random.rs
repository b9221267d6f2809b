//! Unpredictable numbers for ids, without a dependency.
//!
//! The standard library seeds [`RandomState`] from the operating system, once a thread. `SipHash`
//! under that key is a pseudo-random function, so hashing a counter gives numbers that neither
//! repeat nor can be guessed. Good for ids; keys and tokens need a real generator.

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
}
