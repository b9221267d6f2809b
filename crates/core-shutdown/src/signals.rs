use std::io;

use crate::{Error, Signal};

/// The signals that concern the life of the process.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    streams: [(Signal, tokio::signal::unix::Signal); 3],
}

impl Signals {
    /// Takes the signals over: from now on they do not end the process by themselves.
    ///
    /// Must be called inside a tokio runtime with I/O enabled; that runtime's threads must stay
    /// responsive, for they deliver the signals. As PID 1 this is what makes signals work at all.
    ///
    /// # Errors
    /// [`Error::Signals`] if the operating system refuses.
    pub fn listen() -> Result<Self, Error> {
        Self::open().map_err(|source| Error::Signals { source })
    }

    #[cfg(unix)]
    fn open() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            streams: [
                (Signal::Terminate, signal(SignalKind::terminate())?),
                (Signal::Interrupt, signal(SignalKind::interrupt())?),
                (Signal::Hangup, signal(SignalKind::hangup())?),
            ],
        })
    }

    #[cfg(not(unix))]
    fn open() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next signal. Several of one kind that come at once are one.
    ///
    /// # Cancel safety
    /// Safe: a signal that came is delivered by the next call.
    pub async fn next(&mut self) -> Signal {
        #[cfg(unix)]
        {
            let waits = self.streams.iter_mut().map(|(signal, stream)| {
                Box::pin(async move {
                    stream.recv().await;
                    *signal
                })
            });
            futures_util::future::select_all(waits).await.0
        }
        #[cfg(not(unix))]
        {
            // Without it there is no way to stop but to be killed, which needs no waiting.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
            Signal::Interrupt
        }
    }
}
