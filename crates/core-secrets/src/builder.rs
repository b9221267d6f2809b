use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::backend::Files;
use crate::clock;
use crate::hold::Old;
use crate::refresh::AT_ONCE;
use crate::rotation::Subscribers;
use crate::secrets::{Inner, Observer};
use crate::table::Table;
use crate::{Backend, Config, Error, Event, Secrets};

/// Puts [`Secrets`] together. Does no input or output.
#[must_use = "nothing is made before `build`"]
pub struct Builder {
    config: Config,
    backends: BTreeMap<String, Arc<dyn Backend>>,
    observer: Option<Box<Observer>>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        let files: Arc<dyn Backend> = Arc::new(Files::new(&config.file.directory));
        Self { backends: BTreeMap::from([("file".into(), files)]), config, observer: None }
    }

    /// Registers a backend under a name, in place of one that has it.
    ///
    /// It is asked if [`Config::backend`] names it. `file` is registered from the start, and what a
    /// feature brings is made when it is named; `env` is
    /// [`Environment`](crate::backend::Environment), which the host has to hand in because no crate
    /// reads the environment by itself.
    pub fn with_backend(mut self, name: impl Into<String>, backend: impl Backend) -> Self {
        self.backends.insert(name.into(), Arc::new(backend));
        self
    }

    /// Tells somebody of every [`Event`]. It is called in the middle of a read: it must not block.
    pub fn with_observer(mut self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// Checks that everything fits together.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] and [`Error::NoBackend`] for a mistake in the configuration,
    /// [`Error::UnknownBackend`] if it names a backend that is not registered,
    /// [`Error::NotCompiledIn`] if that takes a feature.
    pub fn build(self) -> Result<Secrets, Error> {
        self.config.check()?;
        let registered = |name: &String| match self.backends.get(name) {
            Some(backend) => Ok((Arc::from(&**name), Arc::clone(backend))),
            None => match by_feature(name, &self.config) {
                Some(backend) => Ok((Arc::from(&**name), backend?)),
                None => Err(Error::UnknownBackend {
                    name: name.clone(),
                    available: self.backends.keys().cloned().collect(),
                }),
            },
        };
        let backends = self.config.backend.names().iter().map(registered).collect::<Result<_, _>>();
        Ok(Secrets::new(Inner {
            backends: backends?,
            config: self.config,
            observer: self.observer,
            table: Table::new(),
            subscribers: Subscribers::default(),
            permits: Semaphore::new(AT_ONCE),
            old: Old::new(),
            slept: clock::slept,
        }))
    }
}

macro_rules! by_feature {
    ($($feature:literal: $backend:ident by $settings:ident;)*) => {
        /// A backend that the feature of its name brings, or would bring.
        fn by_feature(name: &str, config: &Config) -> Option<Result<Arc<dyn Backend>, Error>> {
            let _ = config;
            match name {
                $(
                    #[cfg(feature = $feature)]
                    $feature => {
                        let backend = crate::backend::$backend::new(&config.$settings);
                        Some(backend.map(|backend| Arc::new(backend) as _))
                    }
                    #[cfg(not(feature = $feature))]
                    $feature => Some(Err(Error::NotCompiledIn { name: name.to_owned() })),
                )*
                _ => None,
            }
        }
    };
}

by_feature! {
    "aws": Aws by aws;
    "azure": Azure by azure;
    "encrypted": Encrypted by encrypted;
    "gcp": Gcp by gcp;
    "kubernetes": Kubernetes by kubernetes;
    "vault": Vault by vault;
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.backends.keys();
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("backends", &names.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
