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

/// One that was got because another was refused is not replaced for as long, though it is refused
/// too: then it is not its age that is wrong with it.
const PATIENCE: Duration = Duration::minutes(1);

/// What is shown to a service, and when it ends, if it was got from somebody.
pub(in crate::backend) struct Login<T> {
    pub(in crate::backend) shown: T,
    pub(in crate::backend) end: Option<OffsetDateTime>,
    /// When one before it was refused, if it was got for that.
    pub(in crate::backend) refused: Option<OffsetDateTime>,
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
    let login = current(service, None).await?;
    let reply = service.ask(path, &login.shown).await?;
    let now = OffsetDateTime::now_utc();
    let is_new = login.refused.is_some_and(|refused| now < refused + PATIENCE);
    if reply.status.is_success() || !S::is_over(&reply) || login.end.is_none() || is_new {
        return Ok(reply);
    }
    service.held().lock().await.take_if(|held| Arc::ptr_eq(held, &login));
    let login = current(service, Some(now)).await?;
    service.ask(path, &login.shown).await
}

async fn current<S: Logins>(
    service: &S,
    refused: Option<OffsetDateTime>,
) -> Result<Arc<Login<S::Shown>>, BackendError> {
    // Held while another is got: one is enough for all who wait.
    let mut held = service.held().lock().await;
    let now = OffsetDateTime::now_utc();
    let lasts = |login: &Login<_>, ahead| login.end.is_none_or(|end| now < end - ahead);
    if let Some(login) = held.as_ref().filter(|login| lasts(login, AHEAD)) {
        return Ok(Arc::clone(login));
    }
    match service.log_in().await {
        Ok(login) => {
            let login = Arc::new(Login { refused, ..login });
            *held = Some(Arc::clone(&login));
            Ok(login)
        }
        // What is held is good until its end.
        Err(error) => {
            held.as_ref().filter(|login| lasts(login, Duration::ZERO)).cloned().ok_or(error)
        }
    }
}

/// What a file says that proves who we are.
pub(in crate::backend) async fn file(path: &Path) -> Result<Zeroizing<String>, BackendError> {
    tokio::fs::read_to_string(path).await.map(Zeroizing::new).map_err(|error| {
        BackendError::unavailable(format!("cannot read {}", path.display())).with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use reqwest::StatusCode;

    use super::*;

    /// A service that believes nobody, or everybody, and whose logins can be had for a while.
    struct Service {
        answer: StatusCode,
        logins: AtomicUsize,
        most: usize,
        lasts: Duration,
        held: Mutex<Option<Arc<Login<usize>>>>,
    }

    impl Service {
        fn new(answer: StatusCode, most: usize, lasts: Duration) -> Self {
            Self { answer, logins: AtomicUsize::new(0), most, lasts, held: Mutex::default() }
        }
    }

    impl Logins for Service {
        type Shown = usize;

        fn held(&self) -> &Mutex<Option<Arc<Login<usize>>>> {
            &self.held
        }

        async fn log_in(&self) -> Result<Login<usize>, BackendError> {
            let shown = self.logins.fetch_add(1, Ordering::Relaxed);
            if shown >= self.most {
                return Err(BackendError::unavailable("away"));
            }
            let end = OffsetDateTime::now_utc() + self.lasts;
            Ok(Login { shown, end: Some(end), refused: None })
        }

        async fn ask(&self, _: &str, _: &usize) -> Result<Reply, BackendError> {
            Ok(Reply { status: self.answer, retry_after: None, body: Zeroizing::default() })
        }

        fn is_over(reply: &Reply) -> bool {
            reply.status == StatusCode::UNAUTHORIZED
        }
    }

    /// SEC-4: who is refused whatever is shown does not ask for another login with every read.
    #[tokio::test]
    async fn a_lasting_refusal_makes_one_other_login() {
        let service = Service::new(StatusCode::UNAUTHORIZED, 9, Duration::HOUR);
        for _ in 0..5 {
            assert_eq!(ask(&service, "x").await.unwrap().status, StatusCode::UNAUTHORIZED);
        }
        assert_eq!(service.logins.load(Ordering::Relaxed), 2);
    }

    /// SEC-4: what is held is good until its end, though no other can be had.
    #[tokio::test]
    async fn a_login_is_kept_while_no_other_can_be_had() {
        let service = Service::new(StatusCode::OK, 1, AHEAD / 2);
        for _ in 0..3 {
            assert_eq!(ask(&service, "x").await.unwrap().status, StatusCode::OK);
        }
        assert_eq!(service.logins.load(Ordering::Relaxed), 3);
    }
}
