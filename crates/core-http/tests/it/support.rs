//! Requests, answers, and a record of what the observer was told.

use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::Bytes;
use core_http::{Config, Event, Outcome, Peer, Stack};
use core_types::{RequestId, Scope};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::{Service, ServiceExt as _};

/// One event, with the ids that a log line of it would carry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) kind: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) route: String,
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) error_id: Option<String>,
    pub(crate) error_code: Option<&'static str>,
    pub(crate) causes: String,
    pub(crate) duration: std::time::Duration,
    pub(crate) request_bytes: u64,
    pub(crate) response_bytes: u64,
    pub(crate) client: Option<IpAddr>,
    pub(crate) request_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
}

/// What the observer was told, in order.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Vec<Seen>>>);

impl Record {
    pub(crate) fn observe(&self, event: &Event<'_>) {
        let scope = Scope::current();
        let scope = scope.as_ref();
        let mut seen = Seen {
            kind: "",
            method: "",
            path: String::new(),
            route: String::new(),
            status: None,
            outcome: None,
            error_id: None,
            error_code: None,
            causes: String::new(),
            duration: std::time::Duration::ZERO,
            request_bytes: 0,
            response_bytes: 0,
            client: None,
            request_id: scope.and_then(Scope::request_id).map(RequestId::to_string),
            correlation_id: scope.map(|scope| scope.correlation_id().to_string()),
        };
        let failure = match *event {
            Event::Started { method, path, client, .. } => {
                seen = Seen { kind: "started", method, path: path.into(), client, ..seen };
                None
            }
            Event::Failed { method, path, route, failure, .. } => {
                let (path, route) = (path.into(), route.into());
                seen = Seen { kind: "failed", method, path, route, ..seen };
                Some(failure)
            }
            Event::Finished {
                method,
                path,
                route,
                status,
                duration,
                request_bytes,
                response_bytes,
                outcome,
                failure,
                client,
                ..
            } => {
                seen = Seen {
                    kind: "finished",
                    method,
                    path: path.into(),
                    route: route.into(),
                    status: status.map(|status| status.as_u16()),
                    outcome: Some(outcome),
                    duration,
                    request_bytes,
                    response_bytes,
                    client,
                    ..seen
                };
                failure
            }
            _ => unreachable!("an event that the tests do not know"),
        };
        if let Some(failure) = failure {
            seen.error_id = Some(failure.id().to_string());
            seen.error_code = Some(failure.code());
            seen.causes = failure.causes().to_string();
        }
        self.0.lock().unwrap().push(seen);
    }

    pub(crate) fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.all().iter().map(|seen| seen.kind).collect()
    }

    pub(crate) fn the(&self, kind: &str) -> Seen {
        let all = self.all();
        let mut of_kind = all.iter().filter(|seen| seen.kind == kind);
        let seen = of_kind.next().unwrap_or_else(|| panic!("no {kind} among {all:#?}"));
        assert!(of_kind.next().is_none(), "several {kind} among {all:#?}");
        seen.clone()
    }

    pub(crate) fn finished(&self) -> Seen {
        self.the("finished")
    }
}

/// A stack whose events are recorded.
pub(crate) fn recorded(config: Config) -> (Stack, Record) {
    let record = Record::default();
    let observer = record.clone();
    let stack = Stack::new(config).unwrap().with_observer(move |event| observer.observe(event));
    (stack, record)
}

/// A configuration with something else than its defaults.
pub(crate) fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

pub(crate) fn peer(address: &str, https: bool) -> Peer {
    Peer { address: (address.parse::<IpAddr>().unwrap(), 4711).into(), https }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        assert!(values.next().is_none(), "{name} stands twice: {:?}", self.headers);
        Some(first.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn error_code(&self) -> String {
        self.json()["error_code"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads the answer.
pub(crate) async fn send<S, B>(service: S, request: Request<Body>) -> Answer
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible>,
    B: http_body::Body,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = service.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let builder = Request::builder().method(method).uri(path);
    let builder =
        headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Body::empty()).unwrap()
}

/// A service that answers every request by a closure.
pub(crate) fn answering<F>(
    answer: F,
) -> impl Service<
    Request<core_http::RequestBody<Body>>,
    Response = Response<Body>,
    Error = Infallible,
    Future: Send,
> + Clone
where
    F: Fn(Request<core_http::RequestBody<Body>>) -> Response<Body> + Clone + Send,
{
    tower::service_fn(move |request| std::future::ready(Ok(answer(request))))
}

/// A body of given frames, behind which it ends, waits for ever, fails or panics.
pub(crate) struct Script {
    pub(crate) frames: std::collections::VecDeque<http_body::Frame<Bytes>>,
    pub(crate) end: End,
}

#[derive(Clone, Copy)]
pub(crate) enum End {
    Ends,
    Waits,
    Fails,
    Panics,
}

#[derive(Debug, thiserror::Error)]
#[error("the store went away")]
pub(crate) struct StoreWentAway;

impl Script {
    pub(crate) fn new(frames: &[&'static str], end: End) -> Self {
        let data =
            |text: &&'static str| http_body::Frame::data(Bytes::from_static(text.as_bytes()));
        Self { frames: frames.iter().map(data).collect(), end }
    }
}

impl http_body::Body for Script {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        use std::task::Poll;
        match (self.frames.pop_front(), self.end) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, End::Ends) => Poll::Ready(None),
            (None, End::Waits) => Poll::Pending,
            (None, End::Fails) => Poll::Ready(Some(Err(StoreWentAway.into()))),
            (None, End::Panics) => panic!("the body broke"),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && matches!(self.end, End::Ends)
    }
}
