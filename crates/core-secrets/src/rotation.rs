use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Weak};

use core_types::{REDACTED, Secret};

use crate::entry::{Key, Value};
use crate::secrets::Inner;
use crate::{Event, Hold};

/// Whatever a subscriber's error is.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A secret that has another value now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotation {
    /// The path, as it was asked for.
    pub path: Arc<str>,
    /// The key.
    pub key: Option<Arc<str>>,
    /// The value that the subscriber last accepted.
    pub old: Secret<String>,
    /// The value now.
    pub new: Secret<String>,
    hold: Hold,
}

impl Rotation {
    /// Keeps the lease of the old value for as long as the hold is kept, for a subscriber that goes
    /// over to the new one bit by bit: a pool whose old connections are still lent out.
    pub fn hold(&self) -> Hold {
        self.hold.clone()
    }
}

/// A subscriber's stay. Ends when dropped.
#[must_use = "the subscription ends when it is dropped"]
pub struct Subscription(#[expect(dead_code, reason = "held for its drop")] Arc<Subscriber>);

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

type Callback = dyn Fn(&Rotation) -> Result<(), BoxError> + Send + Sync;

struct Subscriber {
    path: Box<str>,
    /// Every key, if none is given.
    key: Option<Box<str>>,
    callback: Box<Callback>,
    /// What it still holds of the keys whose new value it refused.
    refused: Mutex<Vec<(Key, Value, Hold)>>,
}

impl Subscriber {
    fn wants(&self, path: &str, key: Option<&str>) -> bool {
        *self.path == *path && self.key.as_deref().is_none_or(|wanted| key == Some(wanted))
    }

    /// Offers a value to a subscriber that holds another one. An error is its reason to refuse.
    fn offer(
        &self,
        path: &Arc<str>,
        key: &Key,
        old: Option<&Value>,
        new: &Value,
        hold: &Hold,
    ) -> Result<(), String> {
        let refused =
            self.refused().iter().find(|(of, ..)| of == key).map(|(_, old, _)| old.clone());
        let again = refused.is_some();
        let Some(old) = refused.or_else(|| old.cloned()) else { return Ok(()) };
        let rotation = Rotation {
            path: Arc::clone(path),
            key: key.clone(),
            old: (*old).clone(),
            new: (**new).clone(),
            hold: hold.clone(),
        };
        // A value that went back to the one it holds is accepted already.
        let holds = rotation.old == rotation.new;
        let called =
            catch_unwind(AssertUnwindSafe(
                || {
                    if holds { Ok(()) } else { (self.callback)(&rotation) }
                },
            ));
        let reason = match called {
            Ok(Ok(())) => {
                hold.accept();
                let accepted = self.refused().extract_if(.., |(of, ..)| of == key).next();
                if let Some((.., older)) = accepted {
                    older.accept();
                }
                return Ok(());
            }
            Ok(Err(error)) => masked(error.to_string(), [&old, new]),
            // The message may quote a value.
            Err(_) => String::from("it panicked"),
        };
        if !again {
            self.refused().push((key.clone(), old, hold.clone()));
        }
        Err(reason)
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Vec<(Key, Value, Hold)>> {
        self.refused.lock().expect("no panic while it is held")
    }
}

fn masked(text: String, values: [&Value; 2]) -> String {
    values
        .into_iter()
        .filter(|value| !value.expose().is_empty())
        .fold(text, |text, value| text.replace(value.expose().as_str(), REDACTED))
}

#[derive(Default)]
pub(crate) struct Subscribers(Mutex<Vec<Weak<Subscriber>>>);

impl Subscribers {
    pub(crate) fn add(
        &self,
        path: &str,
        key: Option<&str>,
        callback: impl Fn(&Rotation) -> Result<(), BoxError> + Send + Sync + 'static,
    ) -> Subscription {
        let subscriber = Arc::new(Subscriber {
            path: path.into(),
            key: key.map(Into::into),
            callback: Box::new(callback),
            refused: Mutex::default(),
        });
        let mut all = self.0.lock().expect("no panic while it is held");
        all.retain(|subscriber| subscriber.strong_count() > 0);
        all.push(Arc::downgrade(&subscriber));
        Subscription(subscriber)
    }

    fn of(&self, path: &str, key: Option<&str>) -> Vec<Arc<Subscriber>> {
        let all = self.0.lock().expect("no panic while it is held");
        let alive = all.iter().filter_map(Weak::upgrade);
        alive.filter(|subscriber| subscriber.wants(path, key)).collect()
    }

    /// Whether somebody refused the value that a key has now.
    pub(crate) fn refused(&self, path: &str, key: &Key) -> bool {
        let refuses = |subscriber: &Arc<Subscriber>| {
            subscriber.refused().iter().any(|(refused, ..)| refused == key)
        };
        self.of(path, key.as_deref()).iter().any(refuses)
    }
}

impl Inner {
    /// Calls the subscribers of a key: those that hold the old value if it has changed, and those
    /// that refused before.
    pub(crate) fn offer(
        &self,
        path: &Arc<str>,
        key: &Key,
        old: Option<&Value>,
        new: &Value,
        hold: &Hold,
    ) {
        for subscriber in self.subscribers.of(path, key.as_deref()) {
            if let Err(reason) = subscriber.offer(path, key, old, new, hold) {
                self.tell(&Event::Refused {
                    path: Arc::clone(path),
                    key: key.clone(),
                    reason: reason.into(),
                });
            }
        }
    }
}
