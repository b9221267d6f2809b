//! Taking connections, and serving them until they are done.

mod connection;
mod first_bytes;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use core_shutdown::{InFlight, Stopping};
use futures_util::FutureExt as _;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;
use tower_service::Service;

use crate::{BoxError, Error};

/// Under which name this is logged.
const LOG: &str = "core_app::http";

/// When no connection can be accepted, for want of file descriptors, trying at once is no use.
const BACK_OFF: Duration = Duration::from_millis(100);

/// Who has connected when the door closes stands in the operating system's queue, perhaps with a
/// request: closing the port at once would reset it.
const QUEUE: Duration = Duration::from_millis(20);
/// And this long at most, for a place to come free: more come as long as balancers do not know.
const LATE: Duration = Duration::from_secs(5);

/// A port that is taken.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

impl Bound {
    /// Takes a port.
    pub(crate) async fn bind(address: SocketAddr, key: &'static str) -> Result<Self, Error> {
        let bind = async {
            let listener = TcpListener::bind(address).await?;
            let address = listener.local_addr()?;
            Ok(Self { listener, address })
        };
        bind.await.map_err(|source| Error::Bind { address, key, source })
    }

    /// The address, with the port that was found free if none was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What serves the port, and the means to end it. Once `stopping` has begun, whoever keeps a
    /// connection is sent elsewhere.
    pub(crate) fn serve<S, B>(
        self,
        service: S,
        max_connections: usize,
        stopping: Option<Stopping>,
    ) -> (impl Future<Output = ()> + Send + use<S, B>, Door)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send,
        B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (close, closed) = watch::channel(false);
        let connections = InFlight::default();
        let door = Door { close, connections: connections.clone() };
        let places = Arc::new(Semaphore::new(max_connections));
        (accept(self.listener, service, places, connections, closed, stopping), door)
    }
}

/// The way in: open until it is closed.
#[derive(Debug)]
pub(crate) struct Door {
    close: watch::Sender<bool>,
    connections: InFlight,
}

impl Door {
    /// Takes no new connection, and lets those that are open end what they are at.
    pub(crate) fn close(&self) {
        self.close.send_replace(true);
    }

    /// The connections that are open.
    pub(crate) fn connections(&self) -> &InFlight {
        &self.connections
    }
}

async fn accept<S, B>(
    listener: TcpListener,
    service: S,
    places: Arc<Semaphore>,
    connections: InFlight,
    closed: watch::Receiver<bool>,
    stopping: Option<Stopping>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    // The door is not shut before this is.
    let accepting = connections.guard();
    let after_close = |delay| {
        let mut closed = closed.clone();
        async move {
            until(&mut closed).await;
            sleep(delay).await;
        }
    };
    let emptied = after_close(QUEUE).boxed().shared();
    let mut over = pin!(after_close(LATE));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            let place = place.expect("the semaphore is never closed");
            tokio::select! {
                // Who stands in the queue is let in even then.
                biased;
                accepted = listener.accept() => Some((accepted, place)),
                () = emptied.clone() => None,
            }
        };
        let next = tokio::select! {
            biased;
            () = &mut over => None,
            next = next => next,
        };
        let Some((accepted, place)) = next else { return drop(accepting) };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                wait_after(&error).await;
                continue;
            }
        };
        let guard = connections.guard();
        let serve = connection::serve(
            prepare(stream),
            peer,
            service.clone(),
            closed.clone(),
            stopping.clone(),
        );
        #[expect(clippy::disallowed_methods, reason = "core-app is the one crate that spawns")]
        tokio::spawn(async move {
            serve.await;
            drop((guard, place));
        });
    }
}

/// Waits for the door to close. Whoever has lost it has closed it.
async fn until(closed: &mut watch::Receiver<bool>) {
    let _ = closed.wait_for(|closed| *closed).await;
}

fn prepare(stream: TcpStream) -> TcpStream {
    // Small answers must not wait for the other side's acknowledgement. Where that cannot be set
    // they do, and still arrive.
    let _ = stream.set_nodelay(true);
    stream
}

/// A connection that went away before it was accepted is nobody's trouble; anything else is ours.
async fn wait_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(target: LOG, %error, "connections cannot be accepted");
        sleep(BACK_OFF).await;
    }
}
