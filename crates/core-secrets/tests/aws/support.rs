//! What the tests of clouds have in common.

use core_secrets::{Error, ErrorKind, Secrets};

pub(crate) async fn read(secrets: &Secrets, path: &str, key: Option<&str>) -> String {
    secrets.get(path, key).await.unwrap().expose().clone()
}

/// How the backend failed, and what it says.
pub(crate) async fn refused(
    secrets: &Secrets,
    path: &str,
    key: Option<&str>,
) -> (ErrorKind, String) {
    match secrets.get(path, key).await.unwrap_err() {
        Error::NotFound { tried, .. } => (tried[0].1.kind(), tried[0].1.to_string()),
        Error::Backend { source, .. } => (source.kind(), core_types::Chain(&source).to_string()),
        other => panic!("{other:?}"),
    }
}
