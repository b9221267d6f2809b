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

/// Backends that a feature of the same name brings.
const BY_FEATURE: &[&str] = &["kubernetes", "vault"];

/// Puts [`Secrets`] together. Does no input or output.
#[must_use = "nothing is made before `build`"]
pub struct Builder {
    config: Config,
    backends: BTreeMap<String, Arc<dyn Backend>>,
    observer: Option<Box<Observer>>,
}

impl Builder {
    pub(crate) fn new(config: Config) -> Self {
        let backends: Vec<(&str, Arc<dyn Backend>)> = vec![
            ("file", Arc::new(Files::new(&config.file.directory))),
            #[cfg(feature = "kubernetes")]
            ("kubernetes", Arc::new(crate::backend::Kubernetes::new(config.kubernetes.clone()))),
        ];
        let named = |(name, backend): (&str, _)| (name.to_owned(), backend);
        let backends = backends.into_iter().map(named).collect();
        Self { backends, config, observer: None }
    }

    /// Registers a backend under a name, in place of one that has it.
    ///
    /// It is asked if [`Config::backend`] names it. `file` is registered from the start, and so are
    /// those whose features are compiled in;
    /// `env` is [`Environment`](crate::backend::Environment), which the host has to hand in because
    /// no crate reads the environment by itself.
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
    pub fn build(mut self) -> Result<Secrets, Error> {
        self.config.check()?;
        self.add_optional()?;
        let registered = |name: &String| match self.backends.get(name) {
            Some(backend) => Ok((Arc::from(&**name), Arc::clone(backend))),
            None if BY_FEATURE.contains(&&**name) => {
                Err(Error::NotCompiledIn { name: name.clone() })
            }
            None => Err(Error::UnknownBackend {
                name: name.clone(),
                available: self.backends.keys().cloned().collect(),
            }),
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

impl Builder {
    /// The backends of features, where the configuration wants them and nobody brought his own.
    #[cfg_attr(
        not(feature = "vault"),
        expect(
            clippy::unnecessary_wraps,
            clippy::unused_self,
            clippy::needless_pass_by_ref_mut,
            reason = "no feature wants more"
        )
    )]
    fn add_optional(&mut self) -> Result<(), Error> {
        #[cfg(feature = "vault")]
        if self.wants("vault") {
            let vault = crate::backend::Vault::new(&self.config.vault)?;
            self.backends.insert("vault".into(), Arc::new(vault));
        }
        Ok(())
    }

    #[cfg(feature = "vault")]
    fn wants(&self, name: &str) -> bool {
        let is_named = self.config.backend.names().iter().any(|named| named == name);
        is_named && !self.backends.contains_key(name)
    }
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
