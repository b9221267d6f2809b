//! Configuration and secrets, which need each other: the sources say where secrets are, and the
//! secrets complete the settings.

use std::collections::HashMap;

use core_config::{Draft, Loaded, Loader};
use core_secrets::Secrets;
use core_secrets::backend::Environment;
use core_types::{Chain, Secret, SecretRef};
use futures_util::future::join_all;

use crate::arguments::Arguments;
use crate::wire::secrets::SecretsWire;
use crate::{App, Error, Settings};

/// What settings are read from, now and at every reload.
#[derive(Clone, Debug)]
pub(crate) struct Sources<A> {
    pub(crate) loader: Loader<Settings<A>>,
    pub(crate) secrets: Secrets,
}

/// Says where the settings of an app come from.
pub(crate) fn loader<A: core_config::Settings>(
    app: &App<A>,
    arguments: &Arguments,
    environment: Vec<(String, String)>,
) -> Loader<Settings<A>> {
    let mut loader = Loader::new();
    loader = app.optional_files.iter().fold(loader, Loader::with_optional_file);
    loader = arguments.config.iter().fold(loader, Loader::with_file);
    loader = app.key_folders.iter().fold(loader, Loader::with_key_folder);
    loader = loader.with_dot_env(".env").with_environment(app.prefix.clone(), environment);
    if arguments.structured_logging {
        loader = loader.with_flag("--structured-logging", "logging.json_format=true");
    }
    if arguments.hot_reload {
        loader = loader.with_flag("--hot-reload", "config.hot_reload=true");
    }
    arguments.set.iter().fold(loader, Loader::with_set)
}

impl<A: core_config::Settings> Sources<A> {
    /// Reads the settings for the first time, and builds the backends that they name.
    pub(crate) async fn first(
        app: &App<A>,
        loader: Loader<Settings<A>>,
        wire: &SecretsWire,
    ) -> Result<(Self, Loaded<Settings<A>>), Error> {
        let draft = loader.read()?;
        let config: core_secrets::Config = draft.section("secrets")?;
        let wire = wire.clone();
        let mut builder = Secrets::builder(config)
            .with_observer(move |event| wire.observe(event))
            .with_backend("env", Environment::new(loader.variables().iter().cloned()));
        for (name, backend) in &app.backends {
            builder = builder.with_backend(name.clone(), std::sync::Arc::clone(backend));
        }
        let secrets = builder.build().map_err(|error| {
            let key = match &error {
                core_secrets::Error::OutOfRange { field, .. } => format!("secrets.{field}"),
                _ => "secrets.backend".to_owned(),
            };
            draft.refuse(&key, Chain(&error).to_string())
        })?;
        let sources = Self { loader, secrets };
        let loaded = sources.complete(draft).await?;
        Ok((sources, loaded))
    }

    /// Reads the settings again.
    pub(crate) async fn again(&self) -> Result<Loaded<Settings<A>>, core_config::Error>
    where
        A: Send,
    {
        self.complete(self.loader.read()?).await
    }

    /// Resolves every reference, all at once, each target once.
    async fn complete(
        &self,
        draft: Draft<Settings<A>>,
    ) -> Result<Loaded<Settings<A>>, core_config::Error> {
        let mut targets: Vec<&SecretRef> =
            draft.references().iter().map(|reference| &reference.target).collect();
        targets.sort();
        targets.dedup();
        let resolved = join_all(targets.into_iter().map(|target| async {
            let value = self.secrets.resolve(target).await;
            (target.clone(), value.map_err(|error| Chain(&error).to_string()))
        }));
        let resolved: HashMap<SecretRef, Result<Secret<String>, String>> =
            resolved.await.into_iter().collect();
        draft.build(|target| {
            resolved.get(target).cloned().unwrap_or_else(|| Err("was not asked for".into()))
        })
    }
}
