//! How long the machine slept, which the clock that waits are measured by does not count.

use std::time::Duration;

/// Since the machine was started, in all. Unlike the wall clock, nobody sets it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn slept() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let read = |clock| Duration::try_from(clock_gettime(clock)).unwrap_or_default();
    // In this order the difference is never too great by what the two calls take.
    let (with, without) = (ClockId::Boottime, ClockId::Monotonic);
    let with = read(with);
    with.saturating_sub(read(without))
}

/// Other systems' clocks go on while the machine sleeps.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn slept() -> Duration {
    Duration::ZERO
}
