/// Why logging could not be set up or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another subscriber is installed: there is one for the whole process.
    #[error("a log subscriber is installed already")]
    AlreadyInstalled,
    /// A thread could not be made.
    #[error("cannot start the thread {name}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Traces cannot be exported the way they should be.
    #[cfg(feature = "otlp")]
    #[error("cannot export traces: {0}")]
    Traces(String),
    /// Not a level, or not a list of levels.
    #[error("expected a level such as `info`, or levels by target such as `info,hyper=warn`")]
    Level,
}
