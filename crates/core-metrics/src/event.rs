use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use crate::Error;

/// Something that an operator may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A metric has spent its label budget: new label sets go to its overflow series from now on.
    /// Reported once for each metric.
    SeriesOverflow {
        /// The metric's name.
        metric: String,
        /// How many series it may have.
        budget: usize,
    },
    /// Something was not recorded. Reported once for each name, for as many names as
    /// [`Config::name_budget`](crate::Config::name_budget) says; counted every time.
    Refused {
        /// The name as it was given: of a metric, or of a producer.
        name: String,
        /// Why.
        error: Error,
    },
}

type Closure = dyn Fn(&Event) + Send + Sync;

/// Who is told.
#[derive(Default)]
pub(crate) struct Observer(RwLock<Option<Arc<Closure>>>);

impl Observer {
    pub(crate) fn replace(&self, closure: impl Fn(&Event) + Send + Sync + 'static) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(closure));
    }

    /// Must be called outside of every lock of this crate: the closure may record metrics.
    pub(crate) fn report(&self, event: &Event) {
        let closure = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(closure) = closure {
            closure(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").finish_non_exhaustive()
    }
}
