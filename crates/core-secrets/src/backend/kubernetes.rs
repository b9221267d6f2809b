use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Mutex;

use core_types::Secret;
use futures_util::stream::Stream;
use k8s_openapi::api::core::v1;
use zeroize::Zeroize as _;

use super::{Answer, Backend, BackendError, Changes, SecretData};
use crate::Error;
use crate::config::{KubernetesConfig, is_name};
use connection::Connection;

mod connection;
mod watch;

/// Secrets of Kubernetes' API server, read and watched.
///
/// `secret://github-credentials:token` is the key `token` of the Secret `github-credentials` in the
/// configured namespace. Without a key it is the Secret's only one. Values are UTF-8; one line end at
/// the end is left out, so that a Secret gives the same value here and mounted, by
/// [`Files`](super::Files).
///
/// A Secret that changes is read again at once: [`Secrets::run`](crate::Secrets::run) watches every
/// one that was asked for, while [`Config::auto_refresh`](crate::Config::auto_refresh) is on. A watch
/// carries no values. It names its Secret in a field selector, so a Role with one `resourceNames` and
/// the verbs `get` and `watch` suffices; `list` is not needed.
///
/// The service account's token and the certificates are read again whenever the server refuses the
/// token, or cannot be reached. A token that is refused twice counts as
/// [`Denied`](super::ErrorKind::Denied), as does a missing right; a Secret that is not there, as
/// [`NotFound`](super::ErrorKind::NotFound); a server that is out of reach, busy (429), failing (5xx),
/// or has forgotten where a watch was (410), as [`Unavailable`](super::ErrorKind::Unavailable).
///
/// The client is that of the crate `kube`. It runs its connections as tasks of the runtime in which
/// the first secret is read, and reads its few files there. A kubeconfig may name a program that logs
/// in; to run it holds up one thread for as long as that takes.
pub struct Kubernetes {
    connection: Connection,
    /// The version in which each Secret was last read: a watch that tells of it has no news.
    read: Mutex<HashMap<String, String>>,
}

impl Kubernetes {
    /// Connects when the first secret is asked for.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a field of the configuration is.
    pub fn new(config: &KubernetesConfig) -> Result<Self, Error> {
        config.check()?;
        Ok(Self { connection: Connection::new(config.clone()), read: Mutex::default() })
    }

    async fn read(&self, name: &str, key: Option<&str>) -> Result<SecretData, BackendError> {
        if !is_name(name) {
            let text = "a Secret's name has lower-case letters, digits, `-` and `.` only";
            return Err(BackendError::invalid(text));
        }
        let body = self.connection.get(name).await?;
        // What the parser complains of may be a value.
        let secret: v1::Secret = serde_json::from_slice(&body)
            .map_err(|_| BackendError::unavailable("the server's answer is no Secret"))?;
        if let Ok(mut body) = body.try_into_mut() {
            body.as_mut().zeroize();
        }
        if let Some(version) = secret.metadata.resource_version {
            let mut read = self.read.lock().expect("no panic while it is held");
            read.insert(name.to_owned(), version);
        }
        data(secret.data.unwrap_or_default(), key)
    }

    /// Whether a version is not the one that was read.
    fn is_news(&self, name: &str, version: Option<&str>) -> bool {
        let read = self.read.lock().expect("no panic while it is held");
        version.is_none() || read.get(name).map(String::as_str) != version
    }

    fn watch<'a>(&'a self, name: &'a str) -> impl Stream<Item = ()> + Send + 'a {
        watch::changes(&self.connection, name, |version| self.is_news(name, version))
    }
}

impl Backend for Kubernetes {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path, key))
    }

    fn changes<'a>(&'a self, path: &'a str) -> Changes<'a> {
        if is_name(path) { Box::pin(self.watch(path)) } else { super::never() }
    }
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kubernetes").finish_non_exhaustive()
    }
}

/// All values that are text. One that is not is reported when it is asked for.
fn data(
    values: BTreeMap<String, k8s_openapi::ByteString>,
    asked: Option<&str>,
) -> Result<SecretData, BackendError> {
    let mut data = SecretData::new();
    for (key, value) in values {
        match String::from_utf8(value.0) {
            Ok(mut text) => {
                if text.ends_with('\n') {
                    text.pop();
                    if text.ends_with('\r') {
                        text.pop();
                    }
                }
                data = data.with(Some(&key), Secret::new(text));
            }
            Err(error) => {
                error.into_bytes().zeroize();
                if asked == Some(&*key) {
                    return Err(BackendError::invalid("the value is not UTF-8"));
                }
            }
        }
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;
    use crate::ErrorKind;

    /// SEC-1: every key of a Secret is given at once; one that is not text troubles only itself.
    #[test]
    fn keys_are_text_without_the_line_end() {
        let values = || {
            let values: [(&str, &[u8]); 3] =
                [("a", b"canary\r\n"), ("b", b"can\nary\n\n"), ("c", b"\xff")];
            values.map(|(key, value)| (key.to_owned(), ByteString(value.to_owned()))).into()
        };
        let all = data(values(), Some("a")).unwrap();
        assert_eq!(all.value(Some("a")).unwrap().expose(), "canary");
        assert_eq!(all.value(Some("b")).unwrap().expose(), "can\nary\n");
        assert!(all.value(Some("c")).is_none());
        assert_eq!(data(values(), Some("c")).unwrap_err().kind(), ErrorKind::Invalid);
    }
}
