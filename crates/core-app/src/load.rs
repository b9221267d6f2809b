//! Configuration and secrets, which need each other: the sources say where secrets are, and the
//! secrets complete the settings.

use std::collections::HashMap;
use std::sync::Arc;

use core_config::{Draft, Loaded, Loader};
use core_secrets::Secrets;
use core_secrets::backend::Environment;
use core_types::{Chain, Secret, SecretRef};
use futures_util::future::join_all;

use crate::arguments::Arguments;
use crate::blocking::blocking;
use crate::wire::secrets::SecretsWire;
use crate::{App, Error, Settings};

/// Somebody waits for a start that fails, or for an answer. What is not given back ends by itself.
const GIVING_BACK: std::time::Duration = std::time::Duration::from_secs(1);

/// What settings are read from, now and at every reload.
#[derive(Clone, Debug)]
pub(crate) struct Sources<A> {
    pub(crate) loader: Arc<Loader<Settings<A>>>,
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
    loader = loader.with_unreadable_variables(app.unreadable.iter().cloned());
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
        // A file may be a pipe that nobody writes to: whoever waits must hear of a signal.
        let loader = Arc::new(loader);
        let reader = Arc::clone(&loader);
        let read = blocking(move || reader.read()).await;
        let draft = read.map_err(panicked)??;
        let config: core_secrets::Config = draft.section("secrets")?;
        let wire = wire.clone();
        let mut builder = Secrets::builder(config)
            .with_observer(move |event| wire.observe(event))
            .with_backend("env", Environment::new(loader.variables().iter().cloned()));
        for (name, backend) in &app.backends {
            builder = builder.with_backend(name.clone(), Arc::clone(backend));
        }
        let secrets = builder.build().map_err(|error| {
            let key = match &error {
                core_secrets::Error::OutOfRange { field, .. } => format!("secrets.{field}"),
                _ => "secrets.backend".to_owned(),
            };
            draft.refuse(&key, Chain(&error).to_string())
        })?;
        let sources = Self { loader, secrets };
        let resolved = sources.resolve(&draft).await;
        let completed = blocking(move || complete(draft, &resolved)).await.map_err(panicked)??;
        Ok((sources, completed))
    }

    /// Reads the settings again, where reading holds up nobody.
    ///
    /// # Errors
    /// Every reason, each on a line of its own.
    pub(crate) async fn again(&self) -> Result<Loaded<Settings<A>>, String> {
        let loader = Arc::clone(&self.loader);
        let draft = reading(move || loader.read()).await?;
        let resolved = self.resolve(&draft).await;
        reading(move || complete(draft, &resolved)).await
    }

    /// Resolves every reference, all at once, each target once.
    async fn resolve(&self, draft: &Draft<Settings<A>>) -> Resolved {
        let mut targets: Vec<&SecretRef> =
            draft.references().iter().map(|reference| &reference.target).collect();
        targets.sort();
        targets.dedup();
        let resolved = join_all(targets.into_iter().map(|target| async {
            let value = self.secrets.resolve(target).await;
            (target.clone(), value.map_err(|error| Chain(&error).to_string()))
        }));
        resolved.await.into_iter().collect()
    }
}

/// Gives back what was lent, where nobody is going to use it.
pub(crate) async fn give_back(secrets: &Secrets) {
    let _ = tokio::time::timeout(GIVING_BACK, secrets.close()).await;
}

/// The settings type's own code has panicked.
fn panicked(source: tokio::task::JoinError) -> Error {
    Error::Build { component: "configuration", source: source.into() }
}

type Resolved = HashMap<SecretRef, Result<Secret<String>, String>>;

fn complete<A: core_config::Settings>(
    draft: Draft<Settings<A>>,
    resolved: &Resolved,
) -> Result<Loaded<Settings<A>>, core_config::Error> {
    draft.build(|target| {
        resolved.get(target).cloned().unwrap_or_else(|| Err("was not asked for".into()))
    })
}

/// Reads files, and runs what a service's own settings type does on the way. A panic of that is a
/// mistake in the settings, and no reason to never read them again; its text may hold a value.
async fn reading<R: Send + 'static>(
    read: impl FnOnce() -> Result<R, core_config::Error> + Send + 'static,
) -> Result<R, String> {
    match blocking(read).await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_) => Err("configuration refused:\n  reading it panicked".into()),
    }
}
