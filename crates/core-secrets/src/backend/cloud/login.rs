//! What proves who the process is: got when it is needed, and anew before it ends.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::{BackendError, Reply};

/// So long before the end, another is got.
const AHEAD: Duration = Duration::minutes(5);

/// What is shown to a service, and when it ends, if it was got from somebody.
pub(in crate::backend) struct Login<T> {
    pub(in crate::backend) shown: T,
    pub(in crate::backend) end: Option<OffsetDateTime>,
}

/// A service that wants to know who asks.
pub(in crate::backend) trait Logins: Sync {
    /// What is shown to it.
    type Shown: Send + Sync;

    /// Where the last one is kept.
    fn held(&self) -> &Mutex<Option<Arc<Login<Self::Shown>>>>;

    /// Gets another.
    fn log_in(&self) -> impl Future<Output = Result<Login<Self::Shown>, BackendError>> + Send;

    /// Asks for a secret.
    fn ask(
        &self,
        path: &str,
        shown: &Self::Shown,
    ) -> impl Future<Output = Result<Reply, BackendError>> + Send;

    /// Whether a refusal is of what was shown, which may have ended.
    fn is_over(reply: &Reply) -> bool;
}

/// Asks with what is held; where that is over before its time, once more with another.
pub(in crate::backend) async fn ask<S: Logins>(
    service: &S,
    path: &str,
) -> Result<Reply, BackendError> {
    let login = current(service).await?;
    let reply = service.ask(path, &login.shown).await?;
    if reply.status.is_success() || !S::is_over(&reply) || login.end.is_none() {
        return Ok(reply);
    }
    service.held().lock().await.take_if(|held| Arc::ptr_eq(held, &login));
    let login = current(service).await?;
    service.ask(path, &login.shown).await
}

async fn current<S: Logins>(service: &S) -> Result<Arc<Login<S::Shown>>, BackendError> {
    // Held while another is got: one is enough for all who wait.
    let mut held = service.held().lock().await;
    let lasts = |end| OffsetDateTime::now_utc() < end - AHEAD;
    match &*held {
        Some(login) if login.end.is_none_or(lasts) => Ok(Arc::clone(login)),
        _ => {
            let login = Arc::new(service.log_in().await?);
            *held = Some(Arc::clone(&login));
            Ok(login)
        }
    }
}

/// What a file says that proves who we are.
pub(in crate::backend) async fn file(path: &Path) -> Result<Zeroizing<String>, BackendError> {
    tokio::fs::read_to_string(path).await.map(Zeroizing::new).map_err(|error| {
        BackendError::unavailable(format!("cannot read {}", path.display())).with_source(error)
    })
}
