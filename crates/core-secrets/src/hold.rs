//! Leases of values that were replaced: kept while they are used, then given back.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::Backend;
use crate::backend::Lease;

/// Keeps the lease of a value that was replaced, while somebody still uses that value.
///
/// The old lease is given back when everybody who was told of the new value has accepted it and no
/// hold is left. If nobody accepts, or a hold is never dropped, it is left to its end.
#[derive(Clone)]
pub struct Hold(Option<Arc<Replaced>>);

impl Hold {
    /// Nothing was lent.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }

    /// Says that its keeper goes on with the new value, once this is dropped. A subscriber that
    /// returns `Ok` has said so.
    pub fn accept(&self) {
        if let Some(replaced) = &self.0 {
            replaced.is_accepted.store(true, Ordering::Release);
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hold").field(&self.0.as_ref().map(|replaced| &replaced.lent.lease)).finish()
    }
}

/// A lease, and who is to be told of its end.
#[derive(Clone)]
pub(crate) struct Lent {
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) lease: Lease,
    pub(crate) ends: Instant,
}

struct Replaced {
    lent: Lent,
    is_accepted: AtomicBool,
    to_revoke: UnboundedSender<Lent>,
}

impl Drop for Replaced {
    fn drop(&mut self) {
        if *self.is_accepted.get_mut() {
            // Without a receiver the service is at its end, and the lease soon at its own.
            let _ = self.to_revoke.send(self.lent.clone());
        }
    }
}

/// Every lease whose value was replaced, and which has not been given back.
pub(crate) struct Old {
    held: Mutex<Vec<Weak<Replaced>>>,
    sender: UnboundedSender<Lent>,
    /// Those that can be given back, for the one who does.
    pub(crate) to_revoke: tokio::sync::Mutex<UnboundedReceiver<Lent>>,
}

impl Old {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { held: Mutex::default(), sender, to_revoke: tokio::sync::Mutex::new(receiver) }
    }

    pub(crate) fn hold(&self, lent: Lent) -> Hold {
        let to_revoke = self.sender.clone();
        let replaced = Arc::new(Replaced { lent, is_accepted: AtomicBool::new(false), to_revoke });
        let mut held = self.held.lock().expect("no panic while it is held");
        held.retain(|replaced| replaced.strong_count() > 0);
        held.push(Arc::downgrade(&replaced));
        Hold(Some(replaced))
    }

    /// Those that are still held, for the end.
    pub(crate) fn take(&self) -> Vec<Lent> {
        let held = std::mem::take(&mut *self.held.lock().expect("no panic while it is held"));
        held.iter().filter_map(Weak::upgrade).map(|replaced| replaced.lent.clone()).collect()
    }
}
