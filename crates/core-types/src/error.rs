/// Why a word could not be read.
///
/// No variant carries the text that was refused: it may have been a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not a duration.
    #[error("expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds")]
    Duration,
    /// Not a size.
    #[error("expected a size such as `512KiB`, `10MiB` or `50MB`, or a number of bytes")]
    ByteSize,
    /// Not an id.
    #[error("expected 1 to 128 letters, digits, or any of `-_.~:/+=@`")]
    Id,
    /// Not a status.
    #[error("expected `healthy`, `degraded` or `unhealthy`")]
    Status,
    /// Not a reference to a secret.
    #[error("expected a reference such as `secret://name:key` or `secret://backend/path:key`")]
    SecretRef,
    /// Not a `traceparent` header.
    #[error("expected a W3C traceparent")]
    TraceParent,
}
