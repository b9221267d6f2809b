use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use core_types::{Secret, SecretRef};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::entry::Entry;
use crate::hold::Old;
use crate::retry::Retry;
use crate::rotation::Subscribers;
use crate::table::Table;
use crate::{Backend, BoxError, Builder, Config, Error, Event, GetOptions, Rotation, Subscription};

pub(crate) type Observer = dyn Fn(&Event) + Send + Sync;

/// A backend by its name.
pub(crate) type Registered = (Arc<str>, Arc<dyn Backend>);

pub(crate) struct Inner {
    pub(crate) config: Config,
    /// In the order in which they are asked.
    pub(crate) backends: Vec<Registered>,
    pub(crate) table: Table,
    pub(crate) subscribers: Subscribers,
    pub(crate) permits: Semaphore,
    pub(crate) observer: Option<Box<Observer>>,
    /// Leases of values that were replaced.
    pub(crate) old: Old,
    /// How long the machine slept in all.
    pub(crate) slept: fn() -> Duration,
}

impl Inner {
    pub(crate) fn tell(&self, event: &Event) {
        if let Some(observer) = &self.observer {
            // What an observer does wrong must not cost a subscriber its rotation.
            let _ = catch_unwind(AssertUnwindSafe(|| observer(event)));
        }
    }

    /// For somebody who waits.
    pub(crate) fn retry(&self) -> Retry<'_> {
        Retry {
            permits: None,
            retries: self.config.retries,
            delay: self.config.retry_delay.get(),
            budget: self.config.retry_budget.get(),
        }
    }

    /// For nobody who waits: eight at a time.
    pub(crate) fn retry_in_turn(&self) -> Retry<'_> {
        Retry { permits: Some(&self.permits), ..self.retry() }
    }

    /// The first segment of a path names a backend only if one of that name is configured.
    fn entry(&self, reference: &SecretRef) -> Arc<Entry> {
        let path = reference.path();
        self.table.entry(path, || {
            let position =
                |name: &str| self.backends.iter().position(|(known, _)| **known == *name);
            let (name, rest) = reference.split_backend(|name| position(name).is_some());
            let backends = match name.and_then(position) {
                Some(index) => index..index + 1,
                None => 0..self.backends.len(),
            };
            Entry::new(path, path.len() - rest.len(), backends)
        })
    }

    async fn find(&self, reference: &SecretRef, retry: Retry<'_>) -> Result<Secret<String>, Error> {
        let key = reference.key();
        let entry = self.entry(reference);
        let seen = entry.finished.load(Ordering::Acquire);
        let mut flight = entry.flight.lock().await;
        // Whoever held the lock may have read what is wanted here, or failed to.
        if let Some(value) = entry.value(key) {
            return Ok(value);
        }
        let waited = entry.finished.load(Ordering::Acquire) > seen;
        if let Some(error) = flight.failure(key).filter(|_| waited) {
            return Err(error);
        }
        // What was learned before still counts; what failed, only if it was waited for.
        let mut known = flight.known.clone();
        // What was lent and is over is asked for anew.
        if entry.term().as_ref().is_some_and(|(_, term)| Instant::now() >= term.ends()) {
            known.clear();
        }
        for backend in &mut known {
            backend.anew = false;
            backend.unavailable.take_if(|_| !waited);
        }
        self.read(&entry, &mut flight, &[key.map(Into::into)], retry, known).await;
        entry.value(key).ok_or_else(|| flight.failure(key).expect("read, or failed to"))
    }
}

/// The secrets of a service: read once, kept, and read again when told to. Cheap to clone.
///
/// Every path that is asked for is remembered for as long as the handle lives: paths come from
/// settings and code, not from requests.
///
/// ```
/// use core_secrets::{Config, GetOptions, Secrets, backend::Environment};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), core_secrets::Error> {
/// let environment = Environment::new([]);
/// let secrets = Secrets::builder(Config::default()).with_backend("env", environment).build()?;
/// let options = GetOptions::default().with_max_retries(3).with_default("guest".into());
/// assert_eq!(secrets.get_with("API_KEY", None, options).await?.expose(), "guest");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

impl Secrets {
    /// Begins to put the secrets together.
    pub fn builder(config: Config) -> Builder {
        Builder::new(config)
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.0)
    }

    /// The value that a reference stands for.
    ///
    /// A value that was read before is given at once, unless it was lent and its lease is over. Else the backends are asked in order, and the
    /// first that has the secret gives it. One that has it not is passed over; one that is out of
    /// reach or refuses ends the search with an error, for an outage must not change which secret
    /// is used. Who asks for what another caller is reading already waits for that.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no backend has it, [`Error::Backend`] if one failed.
    ///
    /// # Cancel safety
    /// Dropped early, it leaves everything as it was; the next who waits reads instead.
    pub async fn resolve(&self, reference: &SecretRef) -> Result<Secret<String>, Error> {
        match self.cached(reference.path(), reference.key()) {
            Some(value) => Ok(value),
            None => self.0.find(reference, self.0.retry()).await,
        }
    }

    /// The value at a path and a key: `get("github-credentials", Some("token"))`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve), and [`Error::Reference`] if a reference could not carry the
    /// path or the key.
    pub async fn get(&self, path: &str, key: Option<&str>) -> Result<Secret<String>, Error> {
        self.get_with(path, key, GetOptions::default()).await
    }

    /// As [`get`](Self::get), with repetitions and a default of the caller's own.
    ///
    /// Who waits for a read that another caller began waits for that one's repetitions.
    ///
    /// # Errors
    /// As [`get`](Self::get); with a default, [`Error::Reference`] only.
    pub async fn get_with(
        &self,
        path: &str,
        key: Option<&str>,
        options: GetOptions,
    ) -> Result<Secret<String>, Error> {
        if let Some(value) = self.cached(path, key) {
            return Ok(value);
        }
        let reference = SecretRef::new(path, key).map_err(Error::Reference)?;
        let mut retry = self.0.retry();
        retry.retries = options.max_retries.unwrap_or(retry.retries);
        retry.delay = options.delay.unwrap_or(retry.delay);
        match (self.0.find(&reference, retry).await, options.default) {
            (Err(_), Some(default)) => Ok(default),
            (result, _) => result,
        }
    }

    /// The value if it was read before. Never waits: for code that cannot.
    pub fn cached(&self, path: &str, key: Option<&str>) -> Option<Secret<String>> {
        self.0.table.with(path, |entry| entry.value(key)).flatten()
    }

    /// Calls back whenever a secret has another value: with the old one and the new one.
    ///
    /// Without a key, the callback hears of every key of the path. The path is written as in the
    /// reference, with the backend's name if that has it. Only what was asked for is refreshed.
    ///
    /// All keys of the path have their new values in [`cached`](Self::cached) before the first
    /// callback runs. An error refuses the value: the subscriber goes on with the old one, the
    /// secret's status says so, and the callback is called again at each refresh until it accepts.
    /// A panic counts as an error. The callback holds up the refresh of this path: it must not
    /// block, and must not wait for a read of this path.
    ///
    /// ```
    /// # fn reconnect(_: &core_types::Secret<String>) -> std::io::Result<()> { Ok(()) }
    /// # fn example(secrets: &core_secrets::Secrets) {
    /// let subscription = secrets.on_rotation("app/database", Some("password"), |rotation| {
    ///     Ok(reconnect(&rotation.new)?)
    /// });
    /// # drop(subscription);
    /// # }
    /// ```
    pub fn on_rotation(
        &self,
        path: &str,
        key: Option<&str>,
        callback: impl Fn(&Rotation) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Subscription {
        self.0.subscribers.add(path, key, callback)
    }

    /// Every value that was handed out and may be in use, the ones before the last rotation
    /// included: for a scrubber that keeps them out of the log.
    pub fn known_values(&self) -> Vec<Secret<String>> {
        let mut values = Vec::new();
        for entry in self.0.table.from(0) {
            for held in entry.held.load().iter() {
                values
                    .extend(held.value.iter().chain(&held.previous).map(|value| (**value).clone()));
            }
        }
        values
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("config", &self.0.config).finish_non_exhaustive()
    }
}
