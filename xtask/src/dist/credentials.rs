//! Who one is to a registry: what `docker login`, `skopeo login` and their helpers have kept.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::environment;

/// Neither is ever shown.
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) secret: String,
}

/// The credentials for a host, if there are any.
pub(crate) fn of(host: &str) -> anyhow::Result<Option<Credentials>> {
    for path in environment::registry_credentials() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let config: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is not as docker writes it", path.display()))?;
        let helper = config["credHelpers"][host].as_str().or(config["credsStore"].as_str());
        if let Some(found) = kept(&config["auths"][host]).or_else(|| ask(helper?, host).ok()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What is kept in the file itself.
fn kept(entry: &Value) -> Option<Credentials> {
    let pair = STANDARD.decode(entry["auth"].as_str()?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (user, secret) = pair.split_once(':')?;
    Some(Credentials { user: user.to_owned(), secret: secret.to_owned() })
}

/// What a helper keeps.
fn ask(helper: &str, host: &str) -> anyhow::Result<Credentials> {
    let mut command = Command::new(format!("docker-credential-{helper}"));
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    child.stdin.take().context("it has an input")?.write_all(host.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "docker-credential-{helper} knows nobody");
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    let (user, secret) = (text("Username"), text("Secret"));
    Ok(Credentials { user: user.context("no user")?, secret: secret.context("no secret")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIST-5: a password may hold colons; what is no pair is nobody.
    #[test]
    fn what_login_has_kept_is_read() {
        let found = kept(&serde_json::json!({"auth": STANDARD.encode("me:canary:x")})).unwrap();
        assert_eq!((found.user.as_str(), found.secret.as_str()), ("me", "canary:x"));
        assert!(kept(&serde_json::json!({"auth": STANDARD.encode("nobody")})).is_none());
        assert!(kept(&Value::Null).is_none());
    }
}
