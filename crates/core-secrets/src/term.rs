//! When a lease is prolonged, and when the value is read anew: the rules alone. They have no clock.

use std::time::Duration;

use tokio::time::Instant;

use crate::backend::Lease;

/// The shortest wait between two attempts, and the longest that the shortest may be.
const LEAST: Duration = Duration::from_millis(100);
const MOST_LEAST: Duration = Duration::from_secs(60);

/// The longest wait between two attempts when the lease is over.
const LONGEST: Duration = Duration::from_secs(300);

/// Nobody tells that the machine slept: that is looked at so often.
const SLICE: Duration = Duration::from_secs(30);

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Prolong the lease.
    Renew,
    /// Read the value anew, under another lease.
    Replace,
}

/// One lease, from its grant to its end.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    lease: Lease,
    /// What it was first granted for: what every wait is measured by.
    full: Duration,
    ends: Instant,
    next: Instant,
    step: Step,
    /// How long the machine had slept in all when this was last looked at.
    slept: Duration,
    /// Attempts that failed since the lease was over.
    late: u32,
}

impl Term {
    /// A lease that was asked for at a moment. `random` is drawn from 0 to 1.
    pub(crate) fn new(lease: Lease, asked: Instant, slept: Duration, random: f64) -> Self {
        let full = lease.duration();
        let step = if lease.is_renewable() { Step::Renew } else { Step::Replace };
        let next = asked + two_thirds(full, full, random);
        Self { ends: asked + full, lease, full, next, step, slept, late: 0 }
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn ends(&self) -> Instant {
        self.ends
    }

    /// From here on, a lease that could not be prolonged counts as in danger.
    pub(crate) fn late(&self) -> Instant {
        self.ends.checked_sub(self.full / 6).unwrap_or(self.ends)
    }

    /// Takes note of the time: a machine that slept has less left than its clock says.
    pub(crate) fn look(&mut self, slept: Duration) {
        let more = slept.saturating_sub(self.slept);
        self.slept = slept;
        let earlier = |moment: Instant| moment.checked_sub(more).unwrap_or(moment);
        (self.ends, self.next) = (earlier(self.ends), earlier(self.next));
    }

    /// Takes note that the lease ends earlier than was granted. It is replaced in the first half of
    /// what is left: all that ended with it do not ask at once.
    pub(crate) fn cap(&mut self, end: Instant, now: Instant, random: f64) {
        if end < self.ends {
            self.ends = end;
            self.step = Step::Replace;
            let left = end.saturating_duration_since(now);
            self.next = self.next.min(now + left.mul_f64(random / 2.0));
        }
    }

    /// What is to be done now, if anything.
    pub(crate) fn due(&self, now: Instant) -> Option<Step> {
        // A lease that is over cannot be prolonged.
        let step = if now >= self.ends { Step::Replace } else { self.step };
        (now >= self.next).then_some(step)
    }

    /// When to look again.
    pub(crate) fn wake(&self, now: Instant) -> Instant {
        let slice = (self.full / 10).clamp(LEAST, SLICE);
        self.next.min(now + slice)
    }

    /// The lease was prolonged. An answer that is much shorter says that it nears its last end, and
    /// then the value is read anew with as much time left as a renewal would have.
    pub(crate) fn renewed(&mut self, lease: Lease, asked: Instant, now: Instant, random: f64) {
        let granted = lease.duration();
        self.ends = asked + granted;
        self.late = 0;
        if lease.is_renewable() && granted >= self.full.mul_f64(0.9) {
            self.step = Step::Renew;
            self.next = asked + two_thirds(granted, self.full, random);
        } else {
            self.step = Step::Replace;
            self.next = self.ends.checked_sub(self.full / 3).unwrap_or(now).max(now);
        }
        self.lease = lease;
    }

    /// An attempt has failed. The next follows at half of the time until it is late, then at two
    /// thirds of what is left. After a renewal that was refused for good, or came late, the value is
    /// read anew at once; that happens once.
    pub(crate) fn failed(&mut self, now: Instant, for_good: bool, random: f64) {
        let least = (self.full / 20).clamp(LEAST, MOST_LEAST);
        let left = self.ends.saturating_duration_since(now);
        let until_late = self.late().saturating_duration_since(now);
        let was_renewal = std::mem::replace(&mut self.step, Step::Replace) == Step::Renew;
        if was_renewal && !left.is_zero() {
            if for_good || until_late.is_zero() {
                self.next = now;
                return;
            }
            self.step = Step::Renew;
        }
        let wait = if !until_late.is_zero() {
            until_late / 2
        } else if !left.is_zero() {
            left.mul_f64(2.0 / 3.0)
        } else {
            self.late += 1;
            least.saturating_mul(2_u32.saturating_pow(self.late - 1)).min(LONGEST)
        };
        self.next = now + wait.max(least).mul_f64(1.0 + random / 5.0);
    }
}

/// Two thirds of what is left, and up to a fifteenth of the whole more, so that a fleet does not
/// call at once.
fn two_thirds(left: Duration, full: Duration, random: f64) -> Duration {
    left.mul_f64(2.0 / 3.0) + full.mul_f64(random / 15.0).min(left / 6)
}

#[cfg(test)]
mod tests;
