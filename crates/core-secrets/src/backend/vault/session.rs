//! Logins: made once, prolonged, and made again only when they are over.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use core_types::Secret;
use futures_util::future::select;
use reqwest::header::HeaderValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::api::{self, Reply};
use super::server::Server;
use crate::backend::Lease;
use crate::retry::random;
use crate::term::{Step, Term};
use crate::{BackendError, ErrorKind, VaultAuth, VaultConfig, clock};

/// A login that is refused so soon after it was made is not made again: it is not the login.
const SOON: Duration = Duration::from_secs(60);

/// One login.
pub(super) struct Session {
    /// Counted from 1: leases end with the login under which they were given.
    pub(super) number: u64,
    token: Secret<String>,
    header: HeaderValue,
    /// Whether this process has logged in for it.
    is_ours: bool,
    made: Instant,
    /// `None` if it never ends, or nobody knows when.
    term: Mutex<Option<Term>>,
}

impl Session {
    pub(super) fn header(&self) -> &HeaderValue {
        &self.header
    }

    fn term(&self) -> MutexGuard<'_, Option<Term>> {
        self.term.lock().expect("no panic while it is held")
    }

    fn ends(&self) -> Option<Instant> {
        self.term().as_ref().map(Term::ends)
    }

    fn is_over(&self) -> bool {
        self.is_ours && self.ends().is_some_and(|ends| Instant::now() >= ends)
    }
}

/// The login of this process, and those before it that have not ended.
pub(super) struct Sessions {
    config: VaultConfig,
    current: Mutex<Option<Arc<Session>>>,
    before: Mutex<Vec<(Arc<Session>, Instant)>>,
    /// Only one login at a time.
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
    replaced: Notify,
    made: AtomicU64,
}

impl Sessions {
    pub(super) fn new(config: VaultConfig) -> Self {
        Self {
            config,
            current: Mutex::default(),
            before: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            replaced: Notify::new(),
            made: AtomicU64::new(0),
        }
    }

    fn current(&self) -> Option<Arc<Session>> {
        self.current.lock().expect("no panic while it is held").clone()
    }

    fn before(&self) -> MutexGuard<'_, Vec<(Arc<Session>, Instant)>> {
        self.before.lock().expect("no panic while it is held")
    }

    /// A login that is good, made if there is none.
    pub(super) async fn get(&self, server: &Server) -> Result<Arc<Session>, BackendError> {
        let good = || self.current().filter(|session| !session.is_over());
        if let Some(session) = good() {
            return Ok(session);
        }
        let _turn = self.turn.lock().await;
        match good() {
            Some(session) => Ok(session),
            None => self.log_in(server).await,
        }
    }

    /// Makes another login after one was refused, if that is what the refusal was about.
    pub(super) async fn after_refusal(
        &self,
        server: &Server,
        refused: &Session,
    ) -> Result<Option<Arc<Session>>, BackendError> {
        let _turn = self.turn.lock().await;
        match self.current() {
            Some(session) if session.number != refused.number => return Ok(Some(session)),
            _ => {}
        }
        if refused.is_ours {
            if refused.made.elapsed() < SOON && !refused.is_over() {
                return Ok(None);
            }
            let looked = server.ask(api::look_up_self(), Some(refused.header())).await;
            if looked.is_ok_and(|_| true) {
                return Ok(None);
            }
        } else if self.given_token().await? == refused.token {
            return Ok(None);
        }
        // Nothing that was given under it is worth anything any more.
        if let Some(term) = &mut *refused.term() {
            term.cap(Instant::now(), Instant::now(), 0.0);
        }
        self.log_in(server).await.map(Some)
    }

    /// The moment at which a login that is not the current one ends, or has ended.
    pub(super) fn end_of(&self, number: u64) -> Option<Instant> {
        let before = self.before();
        before.iter().find(|(session, _)| session.number == number).map(|(_, ends)| *ends)
    }

    /// Waits until a login took the place of another.
    pub(super) async fn replaced(&self) {
        self.replaced.notified().await;
    }

    /// By who has the turn.
    async fn log_in(&self, server: &Server) -> Result<Arc<Session>, BackendError> {
        let config = &self.config;
        let asked = Instant::now();
        let (token, lease, is_ours) = match config.auth {
            VaultAuth::Token => {
                let token = self.given_token().await?;
                let lease = look_up(server, &header(&token)?).await?;
                (token, lease, false)
            }
            VaultAuth::AppRole => {
                let secret_id = match (&config.secret_id, &config.secret_id_file) {
                    (Some(secret_id), _) => secret_id.clone(),
                    (None, Some(path)) => file("secret_id_file", path).await?,
                    (None, None) => return Err(BackendError::denied("no secret id is given")),
                };
                let secret_id = secret_id.expose().trim().to_owned();
                let mount = config.auth_mount();
                logged_in(
                    server
                        .ask(api::log_in_with_role(mount, &config.role_id, secret_id), None)
                        .await?,
                )?
            }
            VaultAuth::Kubernetes => {
                let token =
                    file("service_account_token_file", &config.service_account_token_file).await?;
                let jwt = token.expose().trim().to_owned();
                let mount = config.auth_mount();
                logged_in(
                    server
                        .ask(api::log_in_with_service_account(mount, &config.role, jwt), None)
                        .await?,
                )?
            }
        };
        let term = lease.map(|lease| Term::new(lease, asked, clock::slept(), random()));
        let session = Arc::new(Session {
            number: self.made.fetch_add(1, Ordering::Relaxed) + 1,
            header: header(&token)?,
            token,
            is_ours,
            made: asked,
            term: Mutex::new(term),
        });
        let mut current = self.current.lock().expect("no panic while it is held");
        let before = current.replace(Arc::clone(&session));
        drop(current);
        if let Some(before) = before {
            let ends = before.ends().unwrap_or_else(Instant::now);
            self.before().push((before, ends));
            self.replaced.notify_one();
        }
        self.changed.notify_one();
        Ok(session)
    }

    async fn given_token(&self) -> Result<Secret<String>, BackendError> {
        let token = match (&self.config.token, &self.config.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => file("token_file", path).await?,
            (None, None) => return Err(BackendError::denied("no token is given")),
        };
        // Files and variables like to end in a line end.
        Ok(token.expose().trim().to_owned().into())
    }

    /// Keeps the login alive, for ever.
    pub(super) async fn keep(&self, server: &Server) -> Infallible {
        loop {
            let session = self.current();
            let look = session.as_ref().and_then(|session| {
                let mut term = session.term();
                let term = term.as_mut()?;
                term.look(clock::slept());
                Some(term.wake(Instant::now()))
            });
            let changed = std::pin::pin!(self.changed.notified());
            match look {
                Some(moment) => {
                    select(std::pin::pin!(sleep_until(moment)), changed).await;
                }
                None => changed.await,
            }
            if let Some(session) = session {
                self.keep_one(server, &session).await;
            }
        }
    }

    async fn keep_one(&self, server: &Server, session: &Session) {
        let due = session.term().as_ref().and_then(|term| term.due(Instant::now()));
        let failed = |for_good| {
            if let Some(term) = &mut *session.term() {
                term.failed(Instant::now(), for_good, random());
            }
        };
        match due {
            None => {}
            Some(Step::Renew) => {
                let asked = Instant::now();
                match server.ask(api::renew_self(), Some(session.header())).await {
                    Ok(reply) => {
                        let lease = reply
                            .and_then(|reply| reply.auth)
                            .map(|auth| lease_of(auth.lease_duration, auth.renewable));
                        if let (Some(lease), Some(term)) = (lease, &mut *session.term()) {
                            term.renewed(lease, asked, Instant::now(), random());
                        }
                    }
                    Err(error) => failed(error.kind() != ErrorKind::Unavailable),
                }
            }
            Some(Step::Replace) => {
                let _turn = self.turn.lock().await;
                let is_current = self.current().is_some_and(|now| now.number == session.number);
                let is_other = session.is_ours
                    || self.given_token().await.is_ok_and(|token| token != session.token);
                if is_current && !(is_other && self.log_in(server).await.is_ok()) {
                    failed(false);
                }
            }
        }
    }

    /// Ends the logins that this process has made.
    pub(super) async fn close(&self, server: &Server) -> Result<(), BackendError> {
        let current = self.current.lock().expect("no panic while it is held").take();
        let mut all: Vec<Arc<Session>> = current.into_iter().collect();
        all.extend(self.before().drain(..).map(|(session, _)| session));
        let now = Instant::now();
        for session in all.iter().filter(|session| session.is_ours) {
            if session.ends().is_none_or(|ends| now < ends) {
                server.ask(api::revoke_self(), Some(session.header())).await?;
            }
        }
        Ok(())
    }
}

fn lease_of(seconds: u64, is_renewable: bool) -> Lease {
    Lease::new("", Duration::from_secs(seconds)).renewable(is_renewable)
}

type LoggedIn = (Secret<String>, Option<Lease>, bool);

fn logged_in(reply: Option<Reply>) -> Result<LoggedIn, BackendError> {
    let auth = reply.and_then(|reply| reply.auth);
    let auth =
        auth.ok_or_else(|| BackendError::invalid("Vault's answer to the login has no token"))?;
    let lease = (auth.lease_duration > 0).then(|| lease_of(auth.lease_duration, auth.renewable));
    Ok((auth.client_token.into(), lease, true))
}

/// How long a token that was given is good for. One that must not ask is used as it is.
async fn look_up(server: &Server, header: &HeaderValue) -> Result<Option<Lease>, BackendError> {
    let reply = match server.ask(api::look_up_self(), Some(header)).await {
        Err(error) if error.kind() == ErrorKind::Denied => return Ok(None),
        reply => reply?,
    };
    let data = reply.and_then(|reply| reply.data).unwrap_or_default();
    let seconds = data.get("ttl").and_then(serde_json::Value::as_u64).unwrap_or_default();
    let is_renewable =
        data.get("renewable").and_then(serde_json::Value::as_bool).unwrap_or_default();
    Ok((seconds > 0).then(|| lease_of(seconds, is_renewable)))
}

fn header(token: &Secret<String>) -> Result<HeaderValue, BackendError> {
    // Its error would not quote the token; it says nothing else either.
    let mut header = HeaderValue::from_str(token.expose())
        .map_err(|_| BackendError::denied("the token has characters that no token has"))?;
    header.set_sensitive(true);
    Ok(header)
}

async fn file(field: &str, path: &std::path::Path) -> Result<Secret<String>, BackendError> {
    let text = || format!("cannot read `vault.{field}` at {}", path.display());
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(text.into()),
        Err(error) => Err(BackendError::denied(text()).with_source(error)),
    }
}
