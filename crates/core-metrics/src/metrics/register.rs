use std::collections::HashMap as Map;
use std::sync::Arc;

use prometheus::Registry;
use prometheus::core::Desc;

use super::Metrics;
use crate::family::{Collected, Core, Overflow};
use crate::name::{self, Scale};
use crate::names::{Names, Taken};
use crate::series::Series;
use crate::{Error, label};

/// A metric that somebody wants.
#[derive(Clone, Copy)]
pub(crate) struct Definition<'a> {
    name: &'a str,
    help: &'a str,
    labels: &'a [&'a str],
    origin: Origin<'a>,
}

/// Who wants it.
#[derive(Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// Code, under the exposed name.
    Code,
    /// Somebody who records under a dotted name.
    Dotted(&'a str),
}

impl Metrics {
    /// The series of a metric, made if they are not there yet.
    pub(crate) fn register<S: Series>(
        &self,
        definition: Definition<'_>,
        shape: S::Shape,
        scale: Scale,
    ) -> Result<Arc<Core<S>>, Error> {
        definition.check::<S>()?;
        let mut names = self.names();
        if let Some(taken) = names.get(definition.name) {
            return definition.join(taken, &shape, scale);
        }
        let Definition { name, labels, origin, .. } = definition;
        if let Origin::Dotted(source) = origin {
            names.check_budget(self.0.config.name_budget, source)?;
        }
        definition.add(&self.0.registry, &mut names, |desc| {
            let core = Core::new(desc, shape, scale);
            if labels.is_empty() {
                return core;
            }
            let counter = self.0.overflows.with(&[name]);
            let observer = Arc::clone(&self.0.observer);
            core.with_budget(self.0.config.budget_of(name), Overflow { counter, observer })
        })
    }
}

impl<'a> Definition<'a> {
    pub(crate) fn new(
        name: &'a str,
        help: &'a str,
        labels: &'a [&'a str],
        origin: Origin<'a>,
    ) -> Self {
        Self { name, help, labels, origin }
    }

    /// The name by which the caller knows the metric.
    fn called(&self) -> &'a str {
        match self.origin {
            Origin::Code => self.name,
            Origin::Dotted(source) => source,
        }
    }

    fn check<S: Series>(&self) -> Result<(), Error> {
        name::check(S::KIND, self.name)?;
        name::check_help(self.name, self.help)?;
        label::check(self.name, self.labels.iter().copied())
    }

    /// The series that are there, if they are what is wanted.
    fn join<S: Series>(
        &self,
        taken: &mut Taken,
        shape: &S::Shape,
        scale: Scale,
    ) -> Result<Arc<Core<S>>, Error> {
        let clash = |existing: &str, why| Error::Clash {
            name: self.called().to_owned(),
            existing: existing.to_owned(),
            why,
        };
        if taken.kind != S::KIND {
            return Err(clash(self.name, "that one is of another type"));
        }
        let family = taken.family.clone().and_then(|family| family.downcast::<Core<S>>().ok());
        let Some(family) = family else {
            return Err(clash(self.name, "that one is produced on scrape"));
        };
        if family.labels() != self.labels {
            return Err(clash(self.name, "that one has other labels"));
        }
        if family.scale() != scale {
            return Err(clash(self.name, "that one is recorded in another unit"));
        }
        match self.origin {
            Origin::Code if family.shape() != shape => {
                return Err(clash(self.name, "that one has other buckets"));
            }
            Origin::Code if family.help_or(self.help) != self.help => {
                return Err(clash(self.name, "that one has another help text"));
            }
            Origin::Code => {}
            Origin::Dotted(source) => match &taken.source {
                Some(other) if other != source => {
                    return Err(clash(other, "both would be exposed under one name"));
                }
                _ => taken.source = Some(source.to_owned()),
            },
        }
        Ok(family)
    }

    /// Makes the series, and takes the name.
    pub(crate) fn add<S: Series>(
        &self,
        registry: &Registry,
        names: &mut Names,
        make: impl FnOnce(Desc) -> Core<S>,
    ) -> Result<Arc<Core<S>>, Error> {
        names.check(S::KIND, self.name, self.called())?;
        let refused = |source: prometheus::Error| Error::Registry {
            name: self.called().to_owned(),
            source: source.into(),
        };
        let labels = self.labels.iter().map(|&label| label.to_owned()).collect();
        let desc = Desc::new(self.name.to_owned(), self.help.to_owned(), labels, Map::new());
        let core = Arc::new(make(desc.map_err(refused)?));
        registry.register(Box::new(Collected(Arc::clone(&core)))).map_err(refused)?;
        let source = match self.origin {
            Origin::Code => {
                core.help_or(self.help);
                None
            }
            Origin::Dotted(source) => Some(source.to_owned()),
        };
        let family = Some(Arc::clone(&core) as _);
        names.take(self.name, Taken { kind: S::KIND, source, family });
        Ok(core)
    }
}
