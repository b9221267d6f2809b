use std::ffi::OsString;
use std::future::Future;
use std::marker::PhantomData;
use std::path::PathBuf;

use core_secrets::Backend;

use crate::service::AppService;
use crate::{BoxError, Exit, Host, NoSettings, Running, run, running};

/// A service, before it is started: its name, its settings, and what is unlike the defaults.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use core_app::{App, BoxError, Exit, Host};
///
/// fn main() -> Exit {
///     App::new("hello", env!("CARGO_PKG_VERSION")).run(start)
/// }
///
/// async fn start(_host: Host) -> Result<Router, BoxError> {
///     Ok(Router::new().route("/", get(async || "hello\n")))
/// }
/// ```
pub struct App<A = NoSettings> {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) about: &'static str,
    pub(crate) prefix: String,
    /// None: the process' own.
    pub(crate) arguments: Option<Vec<OsString>>,
    pub(crate) environment: Option<Vec<(String, String)>>,
    /// Names of variables that are no text.
    pub(crate) unreadable: Vec<String>,
    pub(crate) optional_files: Vec<PathBuf>,
    pub(crate) key_folders: Vec<PathBuf>,
    pub(crate) backends: Vec<(String, std::sync::Arc<dyn Backend>)>,
    pub(crate) hints: Vec<String>,
    settings: PhantomData<fn() -> A>,
}

impl App<NoSettings> {
    /// A service by its name and version. The name in capitals is the prefix of its environment
    /// variables: `my-app` reads `MY_APP_SERVER_BIND_ADDRESS`.
    #[must_use]
    pub fn new(name: &'static str, version: &'static str) -> Self {
        Self {
            name,
            version,
            about: "",
            prefix: name.to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_"),
            arguments: None,
            environment: None,
            unreadable: Vec::new(),
            optional_files: Vec::new(),
            key_folders: Vec::new(),
            backends: Vec::new(),
            hints: Vec::new(),
            settings: PhantomData,
        }
    }
}

impl<A: core_config::Settings> App<A> {
    /// Gives the service settings of its own, beside the host's sections and in the same files.
    #[must_use]
    pub fn with_settings<B: core_config::Settings>(self) -> App<B> {
        App {
            name: self.name,
            version: self.version,
            about: self.about,
            prefix: self.prefix,
            arguments: self.arguments,
            environment: self.environment,
            unreadable: self.unreadable,
            optional_files: self.optional_files,
            key_folders: self.key_folders,
            backends: self.backends,
            hints: self.hints,
            settings: PhantomData,
        }
    }

    /// Says in a sentence what the service does, for `--help`.
    #[must_use]
    pub fn with_about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Reads a configuration file if it exists, before the one that `--config` names.
    #[must_use]
    pub fn with_optional_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.optional_files.push(path.into());
        self
    }

    /// Reads a folder in which each file is a key, as mounted Secrets and ConfigMaps are.
    #[must_use]
    pub fn with_key_folder(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_folders.push(path.into());
        self
    }

    /// Adds a backend for secrets, to be chosen by its name in `secrets.backend`. `env` and `file`
    /// are there.
    #[must_use]
    pub fn with_secrets_backend(mut self, name: impl Into<String>, backend: impl Backend) -> Self {
        self.backends.push((name.into(), std::sync::Arc::new(backend)));
        self
    }

    /// A line for a person who starts the service at a terminal: what can be tried next. `{app}`
    /// and `{ops}` become the two addresses.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Takes these arguments in the place of the process' own, the program's name left out.
    #[must_use]
    pub fn with_arguments<T: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        self.arguments = Some(arguments.into_iter().map(Into::into).collect());
        self
    }

    /// Takes these variables in the place of the process' own.
    #[must_use]
    pub fn with_environment<N: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pair = |(name, value): (N, V)| (name.into(), value.into());
        self.environment = Some(variables.into_iter().map(pair).collect());
        self
    }

    /// Runs the service as the whole process: arguments, log, signals, watchdog, two listeners on
    /// two runtimes, and the stop. Returns when all is over, for `main` to return it in turn.
    ///
    /// `start` builds the service while probes answer already; it may fail, and then what it had
    /// started is stopped in reverse.
    pub fn run<F, S, E>(self, start: impl FnOnce(Host<A>) -> F + Send + 'static) -> Exit
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: AppService,
        E: Into<BoxError>,
    {
        run::process(self, start)
    }

    /// Starts the service inside the current runtime, as a part of this process: no log is
    /// installed, no signal is received, and nothing ends the process. For tests, and for programs
    /// that hold several services.
    ///
    /// # Errors
    /// As `main` would report them; what had started is stopped again.
    pub async fn start<F, S, E>(
        self,
        start: impl FnOnce(Host<A>) -> F + Send + 'static,
    ) -> Result<Running<A>, crate::Error>
    where
        F: Future<Output = Result<S, E>> + Send + 'static,
        S: AppService,
        E: Into<BoxError>,
    {
        running::start_here(self, start).await
    }
}

impl<A> std::fmt::Debug for App<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
