//! Where secrets come from: the [`Backend`] trait, and the backends that come with it.
//!
//! | name | backend | reads |
//! |---|---|---|
//! | `env` | [`Environment`] | variables that the host hands in |
//! | `file` | [`Files`] | files below one folder, as Docker and Kubernetes mount them |
//! | `aws` | `Aws`, with the feature `aws` | AWS Secrets Manager |
//! | `azure` | `Azure`, with the feature `azure` | Azure Key Vault |
//! | `gcp` | `Gcp`, with the feature `gcp` | Google Secret Manager |
//! | `kubernetes` | `Kubernetes`, with the feature `kubernetes` | Secrets of the API server |
//! | `encrypted` | `Encrypted`, with the feature `encrypted` | one sealed file, for development |
//! | `vault` | `Vault`, with the feature `vault` | HashiCorp Vault and OpenBao |

use std::convert::Infallible;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::Arc;

use futures_util::stream::{self, Stream};
use tokio::time::Instant;

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "azure")]
mod azure;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
mod cloud;
mod data;
#[cfg(feature = "encrypted")]
mod encrypted;
mod environment;
mod error;
mod files;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(feature = "kubernetes")]
mod kubernetes;
mod lease;
#[cfg(feature = "vault")]
mod vault;

#[cfg(feature = "aws")]
pub use self::aws::Aws;
#[cfg(feature = "azure")]
pub use self::azure::Azure;
#[cfg(feature = "encrypted")]
pub use self::encrypted::Encrypted;
#[cfg(feature = "gcp")]
pub use self::gcp::Gcp;
#[cfg(feature = "kubernetes")]
pub use self::kubernetes::Kubernetes;
#[cfg(feature = "vault")]
pub use self::vault::Vault;
pub use self::{
    data::SecretData,
    environment::Environment,
    error::{BackendError, ErrorKind},
    files::Files,
    lease::Lease,
};

/// What a backend will have answered.
pub type Answer<'a> = Asked<'a, SecretData>;

/// What a backend will have answered to a question of whatever kind.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

/// What a backend does by itself, for as long as the service runs.
pub type Chores<'a> = Pin<Box<dyn Future<Output = Infallible> + Send + 'a>>;

/// Says again and again that a secret may have another value.
pub type Changes<'a> = Pin<Box<dyn Stream<Item = ()> + Send + 'a>>;

/// Something that a backend waits for.
pub type Waiting<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A place that secrets are read from.
///
/// A backend only has to read. Order, repetition, caching, refresh and rotation are done for it, and
/// the keeping of leases too, if it lends its values: then it also knows how to prolong a lease and
/// to give one back.
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

    /// Tells whenever the secret at a path may have another value, so that it is read again at once,
    /// and not only when its interval is over. Listened to for as long as
    /// [`Secrets::run`](crate::Secrets::run) runs, by one listener for each path.
    ///
    /// A backend that cannot listen any more goes on trying, with pauses of its own, and tells of
    /// what it may have missed. It may tell too often. Default: never.
    fn changes<'a>(&'a self, path: &'a str) -> Changes<'a> {
        let _ = path;
        never()
    }

    /// Prolongs a lease by what it was first granted for, and gives it as it is then. The answer
    /// may be shorter, which says that the lease nears its last end: the value is read anew then.
    ///
    /// Default: refused, as no lease can be prolonged.
    fn renew<'a>(&'a self, lease: &'a Lease) -> Asked<'a, Lease> {
        let _ = lease;
        Box::pin(ready(Err(BackendError::invalid("the backend prolongs no leases"))))
    }

    /// Gives a lease back before its end. Default: it is left to end.
    fn revoke<'a>(&'a self, lease: &'a Lease) -> Asked<'a, ()> {
        let _ = lease;
        Box::pin(ready(Ok(())))
    }

    /// The moment that a lease cannot outlive whatever was granted, such as the end of the login
    /// under which it was given. It must be quick. Default: there is none.
    fn last_end(&self, lease: &Lease) -> Option<Instant> {
        let _ = lease;
        None
    }

    /// Waits until [`last_end`](Self::last_end) may answer otherwise. Default: for ever.
    fn last_end_changed(&self) -> Waiting<'_> {
        Box::pin(pending())
    }

    /// What the backend has to do by itself, such as to keep its login alive. Run for as long as
    /// [`Secrets::run`](crate::Secrets::run) is. Default: nothing.
    fn run(&self) -> Chores<'_> {
        Box::pin(pending())
    }

    /// The last thing that is asked of it: to log out, if it has logged in. Default: nothing.
    fn close(&self) -> Asked<'_, ()> {
        Box::pin(ready(Ok(())))
    }
}

/// Nothing is ever told.
fn never<'a>() -> Changes<'a> {
    Box::pin(stream::pending())
}

impl<B: Backend + ?Sized> Backend for Arc<B> {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        (**self).get(path, key)
    }

    fn changes<'a>(&'a self, path: &'a str) -> Changes<'a> {
        (**self).changes(path)
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> Asked<'a, Lease> {
        (**self).renew(lease)
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Asked<'a, ()> {
        (**self).revoke(lease)
    }

    fn last_end(&self, lease: &Lease) -> Option<Instant> {
        (**self).last_end(lease)
    }

    fn last_end_changed(&self) -> Waiting<'_> {
        (**self).last_end_changed()
    }

    fn run(&self) -> Chores<'_> {
        (**self).run()
    }

    fn close(&self) -> Asked<'_, ()> {
        (**self).close()
    }
}
