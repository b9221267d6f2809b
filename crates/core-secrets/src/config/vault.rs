use std::fmt;
use std::path::PathBuf;

use core_types::{Duration, Secret};

#[cfg(feature = "vault")]
use crate::Error;

/// Settings of the backend `vault`: HashiCorp Vault and OpenBao.
///
/// They count only where the feature `vault` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VaultConfig {
    /// Where the server is, `https://` or `http://`; a path in it is kept, for a server behind a
    /// proxy. Default: `https://127.0.0.1:8200`, as Vault's own tools have it.
    #[cfg_attr(feature = "schema", schemars(extend("x-short" = ["VAULT_URL"], "x-env-default" = ["VAULT_ADDR"])))]
    pub url: String,
    /// How the process proves who it is. Default `token`: `token` or `token_file` below.
    pub auth: VaultAuth,
    /// The token, for `auth = "token"`. It is renewed if it can be, and never revoked, for others
    /// may use it too. No reference: it opens the place that references lead to. Default: none.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    #[cfg_attr(feature = "schema", schemars(extend("x-short" = ["VAULT_TOKEN"], "x-env-default" = ["VAULT_TOKEN"])))]
    pub token: Option<Secret<String>>,
    /// A file that holds the token, in the place of `token`, such as Vault's agent writes. It is
    /// read again when the token is refused. Default: none.
    pub token_file: Option<PathBuf>,
    /// Where the method of `auth` is mounted. Default: empty, which is the method's own name.
    pub auth_mount: String,
    /// The role to log in to, for `auth = "kubernetes"`. Default: none.
    pub role: String,
    /// The role to log in to, for `auth = "approle"`. Default: none.
    pub role_id: String,
    /// The secret that belongs to `role_id`. Default: none.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    pub secret_id: Option<Secret<String>>,
    /// A file that holds the secret, in the place of `secret_id`; read at each login. Default: none.
    pub secret_id_file: Option<PathBuf>,
    /// The file of the service account's token, for `auth = "kubernetes"`; read at each login,
    /// because the kubelet replaces it. Default: where the kubelet puts it.
    pub service_account_token_file: PathBuf,
    /// The secrets engine below which paths lie. Default `secret`, as a new server has it. The
    /// version of a KV engine is found out.
    pub mount_point: String,
    /// Further engines by where they are mounted: a path that begins with one is read there, such
    /// as `database/creds/app` with `database` here. Default: none, so that no path changes its
    /// meaning with what a server happens to hold.
    pub mounts: Vec<String>,
    /// The namespace, sent with every request. Default: empty, and not sent.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["VAULT_NAMESPACE"])))]
    pub namespace: String,
    /// A file of the certificates, PEM, that the server's must be signed by; read again when a
    /// connection fails. Default: none, which trusts what the system trusts.
    #[cfg_attr(feature = "schema", schemars(extend("x-env-default" = ["VAULT_CACERT"])))]
    pub ca_cert: Option<PathBuf>,
    /// The longest time for one request, its answer included. 100ms to 1m. Default 2s: a server
    /// that is well answers in milliseconds, and one that is not must not hold up a start.
    pub request_timeout: Duration,
}

/// How the process proves to Vault who it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(
    feature = "serde",
    derive(serde::Deserialize, serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum VaultAuth {
    /// By a token that somebody made for it.
    #[default]
    Token,
    /// By a role's id and secret: machines.
    AppRole,
    /// By the token of its service account: pods.
    Kubernetes,
}

impl VaultAuth {
    /// As it is written in a file, and where the method is mounted unless somebody chose otherwise.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::AppRole => "approle",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl fmt::Display for VaultAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self {
            url: "https://127.0.0.1:8200".into(),
            auth: VaultAuth::Token,
            token: None,
            token_file: None,
            auth_mount: String::new(),
            role: String::new(),
            role_id: String::new(),
            secret_id: None,
            secret_id_file: None,
            service_account_token_file: "/var/run/secrets/kubernetes.io/serviceaccount/token"
                .into(),
            mount_point: "secret".into(),
            mounts: Vec::new(),
            namespace: String::new(),
            ca_cert: None,
            request_timeout: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "vault")]
impl VaultConfig {
    /// Checks what the fields state, for a configuration that uses the backend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let require = |is_right: bool, field, range| {
            if is_right { Ok(()) } else { Err(Error::OutOfRange { field, range }) }
        };
        let is_filled = |secret: &Option<Secret<String>>| {
            secret.as_ref().is_some_and(|secret| !secret.expose().trim().is_empty())
        };
        let is_sendable = |secret: &Option<Secret<String>>| {
            let visible = |secret: &Secret<String>| {
                secret.expose().trim().bytes().all(|byte| byte.is_ascii_graphic())
            };
            secret.as_ref().is_none_or(visible)
        };
        let refers = |secret: &Option<Secret<String>>| {
            secret.as_ref().is_some_and(|secret| secret.expose().contains("secret://"))
        };
        let host = ["https://", "http://"].iter().find_map(|scheme| self.url.strip_prefix(scheme));
        let is_url = host.is_some_and(|host| {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'@'))
        });
        require(
            is_url,
            "vault.url",
            "an address such as `https://vault.example.com:8200`, without a name or password in it",
        )?;
        for (secret, field) in [(&self.token, "vault.token"), (&self.secret_id, "vault.secret_id")]
        {
            require(
                !refers(secret),
                field,
                "the secret itself or in a file, and no reference: it opens the place that references lead to",
            )?;
            require(is_sendable(secret), field, "visible characters of ASCII")?;
        }
        match self.auth {
            VaultAuth::Token => require(
                is_filled(&self.token) || self.token_file.is_some(),
                "vault.token",
                "given, or `vault.token_file`, or another way in by `vault.auth`",
            )?,
            VaultAuth::AppRole => {
                require(
                    !self.role_id.is_empty(),
                    "vault.role_id",
                    "given for `vault.auth = \"approle\"`",
                )?;
                require(
                    is_filled(&self.secret_id) || self.secret_id_file.is_some(),
                    "vault.secret_id",
                    "given, or `vault.secret_id_file`, for `vault.auth = \"approle\"`",
                )?;
            }
            VaultAuth::Kubernetes => {
                require(
                    !self.role.is_empty(),
                    "vault.role",
                    "given for `vault.auth = \"kubernetes\"`",
                )?;
            }
        }
        let path = "segments of letters, digits, `.`, `_` and `-`, divided by `/`";
        require(is_path(&self.mount_point), "vault.mount_point", path)?;
        require(self.mounts.iter().all(|mount| is_path(mount)), "vault.mounts", path)?;
        require(self.auth_mount.is_empty() || is_path(&self.auth_mount), "vault.auth_mount", path)?;
        let is_header = self.namespace.bytes().all(|byte| byte.is_ascii_graphic());
        require(is_header, "vault.namespace", "visible characters of ASCII")?;
        let timeout = self.request_timeout;
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(60));
        require((least..=most).contains(&timeout), "vault.request_timeout", "from 100ms to 1m")
    }

    /// Where the login method is mounted.
    pub(crate) fn auth_mount(&self) -> &str {
        if self.auth_mount.is_empty() {
            self.auth.as_str()
        } else {
            self.auth_mount.trim_matches('/')
        }
    }
}

/// Whether a mount's place can stand in a URL as it is. A slash at either end is usual.
#[cfg(feature = "vault")]
fn is_path(path: &str) -> bool {
    let is_segment = |segment: &str| {
        !matches!(segment, "" | "." | "..")
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    path.trim_matches('/').split('/').all(is_segment)
}
