use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use crate::Error;
use crate::name::Kind;

/// Which names are taken, and by what.
#[derive(Default)]
pub(crate) struct Names {
    metrics: HashMap<String, Taken>,
    /// Each name that a metric takes, its samples' names among them, and the metric's own name.
    owners: HashMap<String, String>,
    /// How many were not registered in code, but recorded by name or produced on scrape.
    dynamic: usize,
}

/// What a name is taken by.
pub(crate) struct Taken {
    pub(crate) kind: Kind,
    /// The one dotted name under which it is recorded.
    pub(crate) source: Option<String>,
    /// The series; none if they are produced on scrape.
    pub(crate) family: Option<Arc<dyn Any + Send + Sync>>,
}

impl Names {
    pub(crate) fn get(&mut self, name: &str) -> Option<&mut Taken> {
        self.metrics.get_mut(name)
    }

    /// # Errors
    /// [`Error::Clash`] if a metric of that name and kind would take a name of another metric.
    /// `called` is the name by which the caller knows it.
    pub(crate) fn check(&self, kind: Kind, name: &str, called: &str) -> Result<(), Error> {
        let mut taken = kind.taken_names(name).into_iter();
        match taken.find_map(|taken| self.owners.get(&taken)) {
            Some(owner) => Err(Error::Clash {
                name: called.to_owned(),
                existing: owner.clone(),
                why: "both would take the same names, those of samples included",
            }),
            None => Ok(()),
        }
    }

    /// # Errors
    /// [`Error::TooManyNames`] if there is no room for one more that was not registered in code.
    pub(crate) fn check_budget(&self, budget: usize, called: &str) -> Result<(), Error> {
        if self.dynamic < budget {
            return Ok(());
        }
        Err(Error::TooManyNames { name: called.to_owned(), budget })
    }

    pub(crate) fn take(&mut self, name: &str, taken: Taken) {
        for each in taken.kind.taken_names(name) {
            self.owners.insert(each, name.to_owned());
        }
        self.dynamic += usize::from(taken.source.is_some() || taken.family.is_none());
        self.metrics.insert(name.to_owned(), taken);
    }
}
