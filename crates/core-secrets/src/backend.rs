//! Where secrets come from: the [`Backend`] trait, and the backends that come with it.
//!
//! | name | backend | reads |
//! |---|---|---|
//! | `env` | [`Environment`] | variables that the host hands in |
//! | `file` | [`Files`] | files below one folder, as Docker and Kubernetes mount them |

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

mod data;
mod environment;
mod error;
mod files;

pub use self::{
    data::SecretData,
    environment::Environment,
    error::{BackendError, ErrorKind},
    files::Files,
};

/// What a backend will have answered.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<SecretData, BackendError>> + Send + 'a>>;

/// A place that secrets are read from.
///
/// A backend only reads. Order, repetition, caching, refresh and rotation are done for it.
///
/// ```
/// use core_secrets::backend::{Answer, Backend, BackendError, SecretData};
/// use core_types::Secret;
///
/// /// Secrets of a test, in a table.
/// struct Table(Vec<(&'static str, Option<&'static str>, Secret<String>)>);
///
/// impl Backend for Table {
///     fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
///         Box::pin(async move {
///             let row = self.0.iter().find(|row| row.0 == path && row.1 == key);
///             let (.., value) = row.ok_or_else(|| BackendError::not_found("no such row"))?;
///             Ok(SecretData::new().with(key, value.clone()))
///         })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), core_secrets::Error> {
/// let mut config = core_secrets::Config::default();
/// config.backend = "table".into();
/// let secrets = core_secrets::Secrets::builder(config)
///     .with_backend("table", Table(vec![("db", Some("password"), "hunter2".into())]))
///     .build()?;
/// assert_eq!(secrets.get("db", Some("password")).await?.expose(), "hunter2");
/// # Ok(())
/// # }
/// ```
pub trait Backend: Send + Sync + 'static {
    /// Reads the secret at a path, at least the one key that is asked for.
    ///
    /// A backend that gets a whole secret in one request gives every key of it: that saves
    /// requests, and keys that change together are then seen to change together. One that reads
    /// values one by one gives that one. `None` asks for the value of a secret that has no keys; a
    /// backend that holds keys only gives what it has, and if that is a single one, it is taken.
    ///
    /// The future is dropped when the read's budget ends
    /// ([`Config::retry_budget`](crate::Config::retry_budget)). A limit on a single request is the
    /// backend's own. A panic is taken for [`ErrorKind::Invalid`].
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a>;
}

impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        (**self).get(path, key)
    }
}
