use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt;
use tokio::time;

/// The limits in time for the heads of one connection's requests, all by one timer.
///
/// hyper asks for a new limit with each request and drops it when the head is there. This timer
/// stays where it is then, and is moved when it wakes the connection too early: once in the time
/// that a head may take, not twice for each request.
pub(super) struct HeadTimer(Arc<Mutex<Pin<Box<time::Sleep>>>>);

impl HeadTimer {
    /// A timer for limits that are `head` away at least.
    pub(super) fn new(head: Duration) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(time::sleep(head)))))
    }
}

impl rt::Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(HeadSleep { timer: Arc::clone(&self.0), deadline: deadline.into() })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into()
    }
}

/// One limit. Only the latest of a connection is ever waited for, and none is before an earlier one.
struct HeadSleep {
    timer: Arc<Mutex<Pin<Box<time::Sleep>>>>,
    deadline: time::Instant,
}

impl Future for HeadSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            ready!(timer.as_mut().poll(context));
            if timer.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(self.deadline);
        }
    }
}

impl rt::Sleep for HeadSleep {}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use hyper::rt::Timer as _;
    use tokio::time::{Instant, advance};

    use super::*;

    /// HTTP-4: every head has the whole of its time, and no more, whatever was before it.
    #[tokio::test(start_paused = true)]
    async fn each_limit_is_kept() {
        const HEAD: Duration = Duration::from_secs(10);
        let timer = HeadTimer::new(HEAD);
        for pause in [0, 3, 9, 25, 9] {
            // Its head arrives at once, and the answer takes so long.
            assert!(timer.sleep(HEAD).now_or_never().is_none(), "before a pause of {pause} s");
            advance(Duration::from_secs(pause)).await;
        }
        let begin = Instant::now();
        timer.sleep(HEAD).await;
        assert_eq!(begin.elapsed(), HEAD);
    }
}
