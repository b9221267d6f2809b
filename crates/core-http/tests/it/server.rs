//! The stack inside a real server, over a pipe in memory.

use std::convert::Infallible;

use axum::body::Body;
use core_http::{Config, Outcome, RequestBody};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tower::Layer as _;

use crate::support::*;

/// Serves one connection while a client uses it.
async fn serve<C: Future>(
    answer: impl Fn() -> Response<Body> + Clone + Send + 'static,
    client: impl FnOnce(DuplexStream) -> C,
) -> (C::Output, Record) {
    let (stack, record) = recorded(Config::default());
    let app = tower::service_fn(move |_: Request<RequestBody<Incoming>>| {
        std::future::ready(Ok::<_, Infallible>(answer()))
    });
    let service = TowerToHyperService::new(stack.layer(app));
    let (near, far) = tokio::io::duplex(1 << 16);
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
    // How the connection ends is the client's to see.
    let (output, _) = tokio::join!(client(near), connection);
    (output, record)
}

async fn exchange(mut pipe: DuplexStream, request: &'static str) -> String {
    pipe.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    pipe.read_to_string(&mut text).await.unwrap();
    text
}

const GET: &str = "GET / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nhost: example.com\r\nconnection: close\r\n\r\n";

/// HTTP-1: a server drops bodies in its own way; whole answers are whole in the report.
#[tokio::test]
async fn hyper_completes() {
    let bodies: [fn() -> Body; 3] =
        [|| Body::from("hello"), Body::empty, || Body::new(Script::new(&["he", "llo"], End::Ends))];
    for body in bodies {
        for request in [GET, HEAD] {
            let (text, record) =
                serve(move || Response::new(body()), |pipe| exchange(pipe, request)).await;
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            assert!(text.contains("\r\nx-request-id: "), "{text}");
            assert_eq!(record.finished().outcome, Some(Outcome::Completed), "{text}");
        }
    }
}

/// HTTP-2: an answer whose body panics is cut, so that no client takes it for whole.
#[tokio::test]
async fn hyper_cuts_a_broken_body() {
    let broken = || Response::new(Body::new(Script::new(&["begin"], End::Panics)));
    let (text, record) = serve(broken, |pipe| exchange(pipe, GET)).await;
    assert!(!text.ends_with("0\r\n\r\n"), "a last chunk would make it whole: {text}");
    assert_eq!(record.the("failed").causes, "panicked: the body broke");
    assert_eq!(record.finished().outcome, Some(Outcome::Panicked));
}

/// HTTP-1: a client that closes its connection is reported as gone.
#[tokio::test]
async fn hyper_notices_a_client_that_leaves() {
    let endless = || Response::new(Body::new(Script::new(&["begin"], End::Waits)));
    let leave = |mut pipe: DuplexStream| async move {
        pipe.write_all(GET.as_bytes()).await.unwrap();
        let mut head = [0; 15];
        pipe.read_exact(&mut head).await.unwrap();
    };
    let ((), record) = serve(endless, leave).await;
    let finished = record.finished();
    assert_eq!((finished.outcome, finished.status), (Some(Outcome::ClientGone), Some(200)));
}
