use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::Guard;
use core_types::Scope;
use http::header::{CACHE_CONTROL, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, uri::PathAndQuery};
use tokio::time::Instant;

use crate::client::{Client, host_name};
use crate::failure::X_ERROR_ID;
use crate::live::{Live, add};
use crate::propagation::{X_REQUEST_ID, open_scope};
use crate::{Failure, Peer, Route, Stack, negotiation};

/// The headers that an answer of ours may have beside the handler's own.
pub(crate) const OUR_HEADERS: usize = 12;

/// What the stack knows about a request. It stands in the request's extensions.
///
/// Cheap to clone.
///
/// ```
/// # use std::net::IpAddr;
/// fn client<B>(request: &http::Request<B>) -> Option<IpAddr> {
///     request.extensions().get::<core_http::Context>()?.client_address()
/// }
/// ```
#[derive(Clone)]
pub struct Context(Arc<Inner>);

struct Inner {
    stack: Arc<Stack>,
    live: Arc<Live>,
    started: Instant,
    scope: Scope,
    request_id: HeaderValue,
    method: &'static str,
    path: Option<PathAndQuery>,
    client: Client,
    /// What `Access-Control-Allow-Origin` is to say.
    cors_grant: Option<HeaderValue>,
    prefers_problem: bool,
    route: OnceLock<Route>,
    request_bytes: AtomicU64,
    too_large: AtomicBool,
}

impl Context {
    pub(crate) fn open(stack: &Arc<Stack>, request: &Parts) -> Self {
        let started = Instant::now();
        let live = Guard::into_inner(stack.live());
        let headers = &request.headers;
        let (scope, request_id) = open_scope(headers);
        let peer = request.extensions.get::<Peer>();
        Self(Arc::new(Inner {
            started,
            scope,
            request_id,
            method: bounded(&request.method),
            path: request.uri.path_and_query().cloned(),
            client: Client::resolve(peer, headers, &live.trusted_proxies),
            cors_grant: live.cors.as_ref().and_then(|cors| cors.grant(headers)),
            prefers_problem: negotiation::prefers_problem(headers),
            route: OnceLock::new(),
            request_bytes: AtomicU64::new(0),
            too_large: AtomicBool::new(false),
            stack: Arc::clone(stack),
            live,
        }))
    }

    /// The request's ids and its place in a trace; also the current scope while it is handled.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// The client's address, looked for behind the trusted proxies.
    ///
    /// Without a [`Peer`] it is not known. A client cannot forge it: see
    /// [`Config::trusted_proxies`](crate::Config::trusted_proxies).
    pub fn client_address(&self) -> Option<IpAddr> {
        self.0.client.address
    }

    /// Whether the client came by HTTPS, to us or to a trusted proxy.
    pub fn is_https(&self) -> bool {
        self.0.client.https
    }

    /// The host that the client asked a trusted proxy for, by `X-Forwarded-Host`, without a port.
    pub fn forwarded_host(&self) -> Option<&str> {
        self.0.client.host.as_deref()
    }

    /// Names the template by which the request was routed. The first name stays.
    pub fn set_route(&self, route: impl Into<Route>) {
        // A second name is that of an outer router, which knows less.
        let _ = self.0.route.set(route.into());
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.0.stack
    }

    pub(crate) fn live(&self) -> &Live {
        &self.0.live
    }

    pub(crate) fn started(&self) -> Instant {
        self.0.started
    }

    /// When the handler's time is over.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.0.started.checked_add(self.0.live.request_timeout?)
    }

    pub(crate) fn method(&self) -> &'static str {
        self.0.method
    }

    pub(crate) fn is_head(&self) -> bool {
        self.0.method == Method::HEAD.as_str()
    }

    /// The path, without its query.
    pub(crate) fn path(&self) -> &str {
        self.0.path.as_ref().map_or("", PathAndQuery::path)
    }

    pub(crate) fn path_and_query(&self) -> &str {
        self.0.path.as_ref().map_or("", PathAndQuery::as_str)
    }

    pub(crate) fn route(&self) -> &str {
        self.0.route.get().map_or(Route::UNMATCHED, Route::as_str)
    }

    pub(crate) fn prefers_problem(&self) -> bool {
        self.0.prefers_problem
    }

    /// The host that the client asked for: through a proxy, or of us.
    pub(crate) fn host<'a>(&'a self, request: &'a Parts) -> Option<&'a str> {
        let named = || match request.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => request.headers.get(HOST)?.to_str().ok(),
        };
        self.forwarded_host().or_else(|| host_name(named()?))
    }

    /// Whether the request's origin may call us.
    pub(crate) fn is_granted(&self) -> bool {
        self.0.cors_grant.is_some()
    }

    pub(crate) fn count_request_bytes(&self, bytes: usize) {
        self.0.request_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn request_bytes(&self) -> u64 {
        self.0.request_bytes.load(Ordering::Relaxed)
    }

    /// Notes that the body was larger than is read, whatever the handler makes of it.
    pub(crate) fn note_too_large(&self) {
        self.0.too_large.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.0.too_large.load(Ordering::Relaxed)
    }

    /// Adds to an answer's head what every answer has.
    pub(crate) fn decorate(&self, headers: &mut HeaderMap, failure: Option<&Failure>) {
        let Inner { live, request_id, client, cors_grant, .. } = &*self.0;
        // Room for all at once. A map that cannot grow so far keeps what it can.
        let _ = headers.try_reserve(OUR_HEADERS);
        let _ = headers.try_insert(&X_REQUEST_ID, request_id.clone());
        live.secure(headers, client.https);
        if let Some(cors) = &live.cors {
            cors.open(headers, cors_grant.as_ref());
        }
        if let Some(failure) = failure {
            let id = HeaderValue::from_str(failure.id().as_str()).expect("ids need no escaping");
            let _ = headers.try_insert(&X_ERROR_ID, id);
            // A failure that is kept in a cache would be told to others, with the wrong ids.
            add(headers, &CACHE_CONTROL, &HeaderValue::from_static("no-store"));
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("scope", self.scope())
            .field("client", &self.0.client)
            .finish_non_exhaustive()
    }
}

/// The method's name if it is a common one: strangers can make up any number of others.
pub(crate) fn bounded(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "other",
    }
}
