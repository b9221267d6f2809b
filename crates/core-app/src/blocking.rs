use tokio::task::JoinError;

/// Does work that may block where it holds up nobody.
///
/// # Cancel safety
/// Once begun the work is done, whether or not anybody waits for it.
pub(crate) async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, JoinError> {
    #[expect(clippy::disallowed_methods, reason = "core-app is the one crate that spawns")]
    tokio::task::spawn_blocking(work).await
}
