use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use core_shutdown::{InFlight, InFlightGuard, Stopping};
use futures_util::TryFutureExt as _;
use http::header::{CONNECTION, HeaderValue};
use http::{Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use pin_project_lite::pin_project;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use super::head_timer::HeadTimer;
use super::stream::{Protocol, Stream};
use super::{Limits, until};
use crate::BoxError;

/// Under which name this is logged.
const LOG: &str = "core_app::http";

/// Who had connected when the door closed has this long to send a request.
const LAST_REQUEST: Duration = Duration::from_millis(500);
/// Whoever reads the end of its answer has this long for it when the door is closed.
const LAST_BYTES: Duration = Duration::from_secs(2);
/// An HTTP/2 connection on which nothing happens is asked whether it is there.
const PING: Duration = Duration::from_secs(20);
/// As many requests at once on one HTTP/2 connection.
const STREAMS: u32 = 256;
/// The most that the head of a request may take.
const HEAD_BYTES: usize = 64 << 10;

/// Serves one connection to its end. When `closed` says so, it ends after the requests it is at.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    peer: SocketAddr,
    limits: Limits,
    service: S,
    mut closed: watch::Receiver<bool>,
    stopping: Option<Stopping>,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let Limits { head, are_answers_short, .. } = limits;
    let requests = InFlight::default();
    let counted = requests.clone();
    let service = RefCell::new(service);
    let service = service_fn(move |request: Request<Incoming>| {
        let guard = counted.guard();
        let is_old = request.version() < Version::HTTP_2;
        let stopping = stopping.clone();
        // No `async` block: that has room for the answer's future twice, and hyper moves it about.
        service.borrow_mut().call(request).map_ok(move |response| {
            let mut response = response.map(|body| Guarded { body, guard });
            // HTTP/2 has a word of its own for it.
            if is_old && stopping.is_some_and(|stopping| stopping.has_begun()) {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            response
        })
    });
    // Somebody who connects and says nothing is not waited for; a request that is on its way is.
    let silence = async {
        until(&mut closed).await;
        sleep(LAST_REQUEST).await;
    };
    let first = tokio::select! {
        biased;
        first = timeout(head, Stream::open(stream)) => first,
        () = silence => return,
    };
    let Ok(Ok((protocol, stream))) = first else { return };
    let io = TokioIo::new(stream);
    let result = match protocol {
        Protocol::Http1 => {
            let connection = http1::Builder::new()
                .timer(HeadTimer::new(head))
                .header_read_timeout(head)
                .max_buf_size(HEAD_BYTES)
                // Then an answer is put together and goes out in one plain write.
                .writev(!are_answers_short)
                .serve_connection(io, service);
            to_the_end(connection, closed, requests).await
        }
        Protocol::Http2 => {
            let connection = http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(PING)
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(u32::try_from(HEAD_BYTES).unwrap_or(u32::MAX))
                .serve_connection(io, service);
            to_the_end(connection, closed, requests).await
        }
    };
    if let Err(error) = result {
        // What HTTP itself refuses was answered; a client that went away is no news.
        let error = core_types::Chain(&error).to_string();
        tracing::debug!(target: LOG, %peer, error, "connection ended");
    }
}

/// Serves a connection until it ends, or ends it politely when the door closes: whoever is at no
/// request, and begins none, is not waited for.
async fn to_the_end<C>(
    connection: C,
    mut closed: watch::Receiver<bool>,
    requests: InFlight,
) -> Result<(), C::Error>
where
    C: GracefulConnection,
{
    let mut connection = pin!(connection);
    tokio::select! {
        // First, so that a request which is there already is read before the connection is idle.
        biased;
        result = connection.as_mut() => return result,
        () = quietly_until(&mut closed) => connection.as_mut().graceful_shutdown(),
    }
    let quiet = async {
        sleep(LAST_REQUEST).await;
        requests.idle().await;
        sleep(LAST_BYTES).await;
    };
    tokio::select! {
        biased;
        result = connection => result,
        () = quiet => Ok(()),
    }
}

/// Waits for the door to close, as `until` does, and is nearly free to poll meanwhile, as it is with
/// every request: who will be woken when the door closes need not ask again.
async fn quietly_until(closed: &mut watch::Receiver<bool>) {
    let door = closed.clone();
    // Who has spent the task's budget would not be put on the list of those who are woken.
    let mut closed = pin!(unconstrained(until(closed)));
    let mut asked: Option<Waker> = None;
    poll_fn(|context| {
        let is_awaited = asked.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if is_awaited && matches!(door.has_changed(), Ok(false)) {
            return Poll::Pending;
        }
        asked = Some(context.waker().clone());
        closed.as_mut().poll(context)
    })
    .await;
}

pin_project! {
    /// A body that counts as in flight until it was handed over.
    struct Guarded<B> {
        #[pin]
        body: B,
        guard: InFlightGuard,
    }
}

impl<B: Body> Body for Guarded<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;

    use tokio::task::{coop, yield_now};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    /// STOP-1: a connection that was busy when it was first asked learns of the closing door, too.
    #[tokio::test]
    async fn who_has_no_budget_is_woken() {
        let (close, mut closed) = watch::channel(false);
        let mut waiting = pin!(quietly_until(&mut closed));
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        yield_now().await;
        assert!(coop::has_budget_remaining());
        woken.0.store(false, Ordering::Relaxed);
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        close.send_replace(true);
        assert!(woken.0.load(Ordering::Relaxed));
        assert!(waiting.as_mut().poll(&mut context).is_ready());
    }
}
