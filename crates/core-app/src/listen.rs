//! Taking connections, and serving them until they are done.

mod connection;
mod head_timer;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use core_http::Peer;
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

/// What strangers may take of a port, and what they get.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// As many connections at once; the next wait in the operating system's queue.
    pub(crate) connections: usize,
    /// How long a connection may say nothing, or take for the head of a request. hyper counts the
    /// pause between two requests in.
    pub(crate) head: Duration,
    /// Whether bodies are short, so that copying them costs less than sending them apart. One that is
    /// long is copied, too, and a connection keeps the room for it.
    pub(crate) are_answers_short: bool,
}

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

    /// What serves the port, each connection by a service of its own, and the means to end it. Once
    /// `stopping` has begun, whoever keeps a connection is sent elsewhere.
    pub(crate) fn serve<M, S, B>(
        self,
        make: M,
        limits: Limits,
        stopping: Option<Stopping>,
    ) -> (impl Future<Output = ()> + Send + use<M, S, B>, Door)
    where
        M: Fn(Peer) -> S + Send,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
        S::Future: Send,
        B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let (close, closed) = watch::channel(false);
        let connections = InFlight::default();
        let door = Door { close, connections: connections.clone() };
        (accept(self.listener, make, limits, connections, closed, stopping), door)
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

async fn accept<M, S, B>(
    listener: TcpListener,
    make: M,
    limits: Limits,
    connections: InFlight,
    closed: watch::Receiver<bool>,
    stopping: Option<Stopping>,
) where
    M: Fn(Peer) -> S + Send,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: http_body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(limits.connections.min(Semaphore::MAX_PERMITS)));
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
            limits,
            make(Peer { address: peer, https: false }),
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::time::{self, Instant};

    use super::*;

    async fn serving(limits: Limits) -> (SocketAddr, Door) {
        let port = Bound::bind(([127, 0, 0, 1], 0).into(), "test").await.expect("a free port");
        let address = port.address();
        let service = axum::Router::new().route("/", axum::routing::get(async || "hello"));
        let (serve, door) = port.serve(move |_| service.clone(), limits, None);
        #[expect(clippy::disallowed_methods, reason = "a test is a host")]
        tokio::spawn(serve);
        (address, door)
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        TcpStream::connect(address).await.expect("the port is open")
    }

    async fn ask(stream: &mut TcpStream) {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            assert_ne!(stream.read_buf(&mut answer).await.expect("an answer"), 0);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    }

    /// HTTP-4: whoever says nothing, or not enough, has its place for no longer than is allowed.
    #[tokio::test(start_paused = true)]
    async fn silence_is_not_waited_for() {
        let head = Duration::from_secs(10);
        let (address, _door) =
            serving(Limits { connections: 8, head, are_answers_short: false }).await;
        for said in ["", "GET", "GET / HTTP/1.1\r\n"] {
            let (begin, mut stream) = (Instant::now(), connect(address).await);
            stream.write_all(said.as_bytes()).await.expect("it is open");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an end");
            let took = begin.elapsed();
            assert!(answer.is_empty(), "{said:?}");
            assert!(took >= head && took < head * 2 + head / 2, "{said:?}: {took:?}");
        }
    }

    /// HTTP-4: whoever was answered has the same time for its next request.
    #[tokio::test]
    async fn the_next_head_has_its_time_too() {
        let head = Duration::from_secs(10);
        let (address, _door) =
            serving(Limits { connections: 8, head, are_answers_short: false }).await;
        let mut stream = connect(address).await;
        for _ in 0..3 {
            ask(&mut stream).await;
            time::pause();
            time::advance(head * 7 / 10).await;
            time::resume();
        }
        ask(&mut stream).await;
        let begin = Instant::now();
        stream.write_all(b"GET / HT").await.expect("it is open");
        time::pause();
        stream.read_to_end(&mut Vec::new()).await.expect("an end");
        let took = begin.elapsed();
        assert!(took * 10 > head * 9 && took * 2 < head * 3, "{took:?}");
    }

    /// HTTP-3: a connection's service is told who is at its other end.
    #[tokio::test]
    async fn each_connection_has_its_own_service() {
        let port = Bound::bind(([127, 0, 0, 1], 0).into(), "test").await.expect("a free port");
        let address = port.address();
        let make = |peer: Peer| {
            let answer = axum::routing::get(async move || peer.address.to_string());
            axum::Router::new().route("/", answer)
        };
        let limits =
            Limits { connections: 8, head: Duration::from_secs(60), are_answers_short: false };
        let (serve, _door) = port.serve(make, limits, None);
        #[expect(clippy::disallowed_methods, reason = "a test is a host")]
        tokio::spawn(serve);
        let mut streams = [connect(address).await, connect(address).await];
        for stream in &mut streams {
            let own = stream.local_addr().expect("it is open");
            let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
            stream.write_all(request).await.expect("it is open");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            assert!(answer.ends_with(&own.to_string()), "{own}: {answer}");
        }
    }

    /// HTTP-4: past the limit a connection waits, unanswered, until another has ended.
    #[tokio::test]
    async fn connections_are_limited() {
        let head = Duration::from_secs(60);
        let (address, door) =
            serving(Limits { connections: 2, head, are_answers_short: false }).await;
        let (mut first, mut second) = (connect(address).await, connect(address).await);
        ask(&mut first).await;
        ask(&mut second).await;
        let mut third = connect(address).await;
        assert_eq!(door.connections().count(), 3, "two, and the door itself");
        drop(first);
        ask(&mut third).await;
        assert_eq!(door.connections().count(), 3);
    }
}
