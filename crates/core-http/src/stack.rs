use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arc_swap::{ArcSwap, Guard};
use http::request::Parts;
use tower_layer::Layer;

use crate::live::{Live, Prepared};
use crate::{Config, Error, Event, Shortcut, Wrapped, panics};

type Observer = dyn Fn(&Event<'_>) + Send + Sync;
type Guards = dyn Fn() -> Box<dyn Any + Send> + Send + Sync;
type Predicate = dyn Fn(&Parts) -> bool + Send + Sync;
type Shortcuts = dyn Fn(&Parts) -> Option<Shortcut> + Send + Sync;

/// The layer that gives a service its HTTP manners.
///
/// It is one layer, not a pile of them: a request passes it in one call, and its answer's body in
/// one wrapper. Cheap to clone. All services that one stack has wrapped, and its clones, share
/// their configuration and their limit of requests in flight.
///
/// ```
/// use core_http::{Config, Event, Stack};
/// use tower_layer::Layer as _;
///
/// let stack = Stack::new(Config::default())?
///     .with_observer(|event| if let Event::Finished { status, .. } = event { drop(status) })
///     .with_never_shed(|request| request.uri.path() == "/health/live");
/// let app = stack.layer(axum::Router::<()>::new());
/// # Ok::<(), core_http::Error>(())
/// ```
#[derive(Clone)]
pub struct Stack {
    live: Arc<ArcSwap<Live>>,
    in_flight: Arc<AtomicU32>,
    observer: Option<Arc<Observer>>,
    guards: Option<Arc<Guards>>,
    never_shed: Option<Arc<Predicate>>,
    never_redirected: Option<Arc<Predicate>>,
    shortcuts: Option<Arc<Shortcuts>>,
}

impl Stack {
    /// Prepares the layer.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn new(config: Config) -> Result<Self, Error> {
        Ok(Self {
            live: Arc::new(ArcSwap::from_pointee(Live::new(config)?)),
            in_flight: Arc::default(),
            observer: None,
            guards: None,
            never_shed: None,
            never_redirected: None,
            shortcuts: None,
        })
    }

    /// Names who is told of every request. Default: nobody.
    ///
    /// A panic of the observer is caught and goes no further than the panic hook: a report that
    /// fails is no reason to fail the request.
    #[must_use]
    pub fn with_observer(mut self, observer: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Names where the guards come from that are held while requests are in flight. Default: none.
    ///
    /// It is called once for each request. What it returns is dropped when the body of the answer
    /// has ended, after the request was reported as finished; so a host that counts guards knows
    /// when the last request is done.
    #[must_use]
    pub fn with_in_flight<G: Send + 'static>(
        mut self,
        guards: impl Fn() -> G + Send + Sync + 'static,
    ) -> Self {
        self.guards = Some(Arc::new(move || Box::new(guards())));
        self
    }

    /// Names the requests that [`Config::max_in_flight`] does not concern. Default: none.
    ///
    /// They are never shed and do not count either: probes and metrics, above all.
    #[must_use]
    pub fn with_never_shed(
        mut self,
        predicate: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.never_shed = Some(Arc::new(predicate));
        self
    }

    /// Names the requests that [`Config::https_redirect`] does not concern. Default: none.
    ///
    /// Probes, above all: they come by plain HTTP, past the proxy that speaks HTTPS.
    #[must_use]
    pub fn with_never_redirected(
        mut self,
        predicate: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.never_redirected = Some(Arc::new(predicate));
        self
    }

    /// Names the answers that need no handler. Default: none.
    ///
    /// For probes, which balancers send all day to every replica: what they ask is known already,
    /// and most of their cost would be ours. `shortcuts` is asked first, for every GET without
    /// `Origin`; its answers go out with `Cache-Control: no-store`, `X-Request-ID` and the security
    /// headers, and are reported by [`Event::Finished`] alone, outside of every scope. Everything
    /// else, failures included, takes the long way. `shortcuts` must not block.
    #[must_use]
    pub fn with_shortcut(
        mut self,
        shortcuts: impl Fn(&Parts) -> Option<Shortcut> + Send + Sync + 'static,
    ) -> Self {
        self.shortcuts = Some(Arc::new(shortcuts));
        self
    }

    /// Checks a configuration without putting it into force.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn prepare(&self, config: &Config) -> Result<Prepared, Error> {
        Live::new(config.clone()).map(|live| Prepared(Arc::new(live)))
    }

    /// Puts a configuration into force, for requests that arrive from now on.
    ///
    /// A request keeps to the end what it began with.
    pub fn commit(&self, prepared: Prepared) {
        self.live.store(prepared.0);
    }

    /// Checks a configuration and puts it into force.
    ///
    /// # Errors
    /// As [`Config::validate`]; then the old one stays.
    pub fn reconfigure(&self, config: &Config) -> Result<(), Error> {
        self.prepare(config).map(|prepared| self.commit(prepared))
    }

    pub(crate) fn live(&self) -> Guard<Arc<Live>> {
        self.live.load()
    }

    pub(crate) fn report(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            // The hook has told of the panic; there is nobody else to tell.
            let _ = panics::catch(|| observer(event));
        }
    }

    pub(crate) fn shortcut(&self, request: &Parts) -> Option<Shortcut> {
        self.shortcuts.as_ref().and_then(|shortcuts| shortcuts(request))
    }

    pub(crate) fn guard(&self) -> Option<Box<dyn Any + Send>> {
        self.guards.as_ref().map(|guards| guards())
    }

    pub(crate) fn is_never_shed(&self, request: &Parts) -> bool {
        self.never_shed.as_ref().is_some_and(|predicate| predicate(request))
    }

    pub(crate) fn is_never_redirected(&self, request: &Parts) -> bool {
        self.never_redirected.as_ref().is_some_and(|predicate| predicate(request))
    }

    /// Takes one of `limit` places; `false` if all are taken.
    pub(crate) fn admit(&self, limit: u32) -> bool {
        // A loop and no plain addition: one that is turned away must not for a moment take the
        // place of another.
        let next = |in_flight| (in_flight < limit).then_some(in_flight + 1);
        self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }

    pub(crate) fn release(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Stack {
    type Service = Wrapped<S>;

    fn layer(&self, inner: S) -> Wrapped<S> {
        Wrapped::new(inner, Arc::new(self.clone()))
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}
