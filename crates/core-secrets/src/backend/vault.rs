//! The backend `vault`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use core_types::Secret;
use serde_json::{Map, Value};
use tokio::time::Instant;

use self::api::{Call, Reply};
use self::mounts::{Engine, Mounts};
use self::server::Server;
use self::session::{Session, Sessions};
use crate::backend::{Answer, Asked, Backend, Chores, Lease, Waiting};
use crate::{BackendError, Error, ErrorKind, SecretData, VaultConfig};

mod api;
mod gate;
mod mounts;
mod server;
mod session;
mod transport;

/// HashiCorp Vault and OpenBao: KV engines of both versions, and whatever else can be read, such as
/// the credentials that a database engine makes, with their leases.
///
/// `secret://github-credentials:token` is the key `token` of `github-credentials` below
/// [`mount_point`](VaultConfig::mount_point); a path that begins with one of
/// [`mounts`](VaultConfig::mounts) is read there: `secret://database/creds/app:password`.
///
/// The login is made at the first read and prolonged as long as [`Secrets::run`](crate::Secrets::run)
/// is run. At most eight requests are under way. While the server is down, one at a time asks for
/// it, after waits of 1 s to 10 s: at most eight requests at the beginning, and about eight a minute,
/// however many secrets there are.
pub struct Vault {
    server: Server,
    sessions: Sessions,
    mounts: Mounts,
}

impl Vault {
    /// Prepares the backend; nothing is asked yet.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if a setting is missing or malformed.
    pub fn new(config: &VaultConfig) -> Result<Self, Error> {
        config.check()?;
        Ok(Self {
            server: Server::new(config)?,
            sessions: Sessions::new(config.clone()),
            mounts: Mounts::new(config),
        })
    }

    /// Asks under the present login, and under another one if that is over.
    async fn ask(
        &self,
        call: impl Fn() -> Call,
    ) -> Result<(Option<Reply>, Arc<Session>), BackendError> {
        let mut session = self.sessions.get(&self.server).await?;
        let mut reply = self.server.ask(call(), Some(session.header())).await;
        if reply.as_ref().is_err_and(|error| error.kind() == ErrorKind::Denied)
            && let Some(other) = self.sessions.after_refusal(&self.server, &session).await?
        {
            session = other;
            reply = self.server.ask(call(), Some(session.header())).await;
        }
        reply.map(|reply| (reply, session))
    }

    async fn read(&self, path: &str) -> Result<SecretData, BackendError> {
        let (mount, rest) = self.mounts.place(path);
        let ask = async || self.ask(|| api::mount(mount)).await.map(|(reply, _)| reply);
        let engine = self.mounts.engine(mount, ask).await?;
        let call = || match engine {
            Engine::Versioned => api::read_versioned(mount, rest),
            Engine::Plain => api::read(mount, rest),
        };
        let nothing = || {
            let place = call().path;
            BackendError::not_found(format!(
                "nothing at {place}; engines beside `secrets.vault.mount_point` are named in \
                 `secrets.vault.mounts`"
            ))
        };
        let (reply, session) = self.ask(call).await.map_err(|error| {
            if error.kind() == ErrorKind::NotFound {
                self.mounts.doubt(mount);
                return nothing();
            }
            error
        })?;
        let reply = reply.ok_or_else(nothing)?;
        let mut data = reply.data.unwrap_or_default();
        if engine == Engine::Versioned {
            data = match data.remove("data") {
                Some(Value::Object(data)) => data,
                // The newest version was deleted.
                _ => return Err(nothing()),
            };
        }
        let lease = if reply.lease_id.is_empty() {
            time_to_rotation(&data)?
        } else {
            let duration = Duration::from_secs(reply.lease_duration.into());
            let id = format!("{}:{}", session.number, reply.lease_id);
            Some(Lease::new(id, duration).renewable(reply.renewable))
        };
        let values = secret_data(data);
        Ok(match lease.filter(|lease| !lease.duration().is_zero()) {
            Some(lease) => values.with_lease(lease),
            None => values.whole(),
        })
    }
}

/// The login under which a lease was given, and its name.
fn parts(lease: &Lease) -> Option<(u64, &str)> {
    let (number, id) = lease.id().split_once(':')?;
    Some((number.parse().ok()?, id))
}

/// A password that the database engine changes from time to time is good until then, and one second
/// for the change itself.
fn time_to_rotation(data: &Map<String, Value>) -> Result<Option<Lease>, BackendError> {
    let (Some(seconds), true) =
        (data.get("ttl").and_then(Value::as_u64), data.contains_key("last_vault_rotation"))
    else {
        return Ok(None);
    };
    match seconds {
        // Vault is about to change it.
        0 => Err(BackendError::unavailable("the password is being changed")),
        seconds => Ok(Some(Lease::new("", Duration::from_secs(seconds + 1)))),
    }
}

/// Texts as they are, other values as JSON; nothing for `null`.
fn secret_data(data: Map<String, Value>) -> SecretData {
    data.into_iter().fold(SecretData::new(), |all, (key, value)| match value {
        Value::Null => all,
        Value::String(text) => all.with(Some(&key), Secret::new(text)),
        other => all.with(Some(&key), Secret::new(other.to_string())),
    })
}

impl Backend for Vault {
    fn get<'a>(&'a self, path: &'a str, _key: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path))
    }

    fn renew<'a>(&'a self, lease: &'a Lease) -> Asked<'a, Lease> {
        Box::pin(async move {
            let (number, id) =
                parts(lease).ok_or_else(|| BackendError::invalid("no lease of Vault's"))?;
            let call = || api::renew_lease(id, lease.duration().as_secs());
            let (reply, _) = self.ask(call).await?;
            let reply =
                reply.ok_or_else(|| BackendError::invalid("Vault's answer has no lease"))?;
            let duration = Duration::from_secs(reply.lease_duration.into());
            Ok(Lease::new(format!("{number}:{id}"), duration).renewable(reply.renewable))
        })
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Asked<'a, ()> {
        Box::pin(async move {
            match parts(lease) {
                Some((_, id)) => self.ask(|| api::revoke_lease(id)).await.map(drop),
                None => Ok(()),
            }
        })
    }

    fn last_end(&self, lease: &Lease) -> Option<Instant> {
        self.sessions.end_of(parts(lease)?.0)
    }

    fn last_end_changed(&self) -> Waiting<'_> {
        Box::pin(self.sessions.replaced())
    }

    fn run(&self) -> Chores<'_> {
        Box::pin(self.sessions.keep(&self.server))
    }

    fn close(&self) -> Asked<'_, ()> {
        Box::pin(self.sessions.close(&self.server))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}
