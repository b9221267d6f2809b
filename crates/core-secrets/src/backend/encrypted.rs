use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use argon2::Argon2;
use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use core_types::Secret;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Answer, Backend, BackendError, SecretData};
use crate::{EncryptedConfig, Error};

/// What every such file begins with. Another form would have another number.
const MAGIC: &[u8] = b"mira-sealed-1\n";
const NONCE: usize = 24;

/// Secrets of one encrypted file: for development, where no server is at hand.
///
/// Inside it is JSON: `{"github-credentials": {"token": "…"}, "API_KEY": "…"}`. The key is derived
/// from a passphrase by Argon2id, which takes some 50 ms whenever the file has changed; the content
/// is sealed by XChaCha20-Poly1305, so that a file that was tampered with is refused as a whole.
/// [`seal`](Self::seal) makes such a file.
pub struct Encrypted {
    config: EncryptedConfig,
    opened: Mutex<Option<Opened>>,
}

type Content = BTreeMap<String, SecretData>;

struct Opened {
    sealed: Vec<u8>,
    content: Arc<Content>,
}

impl Encrypted {
    /// Prepares the backend; nothing is read yet.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] if there is no passphrase, or a reference in its place.
    pub fn new(config: &EncryptedConfig) -> Result<Self, Error> {
        let passphrase = config.passphrase.as_ref().map(|passphrase| passphrase.expose().trim());
        let range = match passphrase {
            Some(text) if text.contains("secret://") => Some(
                "the passphrase itself, and no reference: it opens the place that references lead to",
            ),
            Some("") => Some("given, or `encrypted.passphrase_file`"),
            None if config.passphrase_file.is_none() => {
                Some("given, or `encrypted.passphrase_file`")
            }
            _ => None,
        };
        match range {
            Some(range) => Err(Error::OutOfRange { field: "encrypted.passphrase", range }),
            None => Ok(Self { config: config.clone(), opened: Mutex::default() }),
        }
    }

    /// Seals a text of JSON for [`Encrypted`] to read.
    ///
    /// ```
    /// # use core_secrets::backend::Encrypted;
    /// let json = r#"{"github-credentials": {"token": "hunter2"}}"#;
    /// let sealed = Encrypted::seal(json, &"correct horse".into())?;
    /// assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
    /// # Ok::<(), core_secrets::BackendError>(())
    /// ```
    ///
    /// # Errors
    /// [`BackendError`] if the text is not as it has to be.
    pub fn seal(json: &str, passphrase: &Secret<String>) -> Result<Vec<u8>, BackendError> {
        content(json.as_bytes())?;
        let nonce = XNonce::generate();
        let sealed = cipher(passphrase, &nonce)?.encrypt(&nonce, json.as_bytes());
        let sealed =
            sealed.map_err(|_| BackendError::invalid("the text is too long to be sealed"))?;
        Ok([MAGIC, &nonce, &sealed].concat())
    }

    async fn content(&self) -> Result<Arc<Content>, BackendError> {
        let sealed = read(&self.config.path).await?;
        if let Some(opened) = &*self.opened.lock().expect("no panic while it is held")
            && opened.sealed == sealed
        {
            return Ok(Arc::clone(&opened.content));
        }
        let passphrase = match (&self.config.passphrase, &self.config.passphrase_file) {
            (Some(passphrase), _) => passphrase.clone(),
            (None, Some(path)) => {
                let text = String::from_utf8(read(path).await?);
                text.map_err(|_| BackendError::denied("the passphrase is not UTF-8"))?.into()
            }
            (None, None) => return Err(BackendError::denied("no passphrase is given")),
        };
        let opened = Arc::new(open(&sealed, &passphrase)?);
        let content = Arc::clone(&opened);
        *self.opened.lock().expect("no panic while it is held") = Some(Opened { sealed, content });
        Ok(opened)
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, BackendError> {
    let text = || format!("cannot read {}", path.display());
    tokio::fs::read(path).await.map_err(|error| BackendError::invalid(text()).with_source(error))
}

fn cipher(passphrase: &Secret<String>, nonce: &XNonce) -> Result<XChaCha20Poly1305, BackendError> {
    let mut key = Zeroizing::new([0; 32]);
    // The salt is the nonce: both are drawn once for each file, and neither is secret.
    Argon2::default()
        .hash_password_into(passphrase.expose().trim().as_bytes(), nonce, &mut *key)
        .map_err(|_| BackendError::invalid("the passphrase cannot be used"))?;
    Ok(XChaCha20Poly1305::new(&Key::from(*key)))
}

fn open(sealed: &[u8], passphrase: &Secret<String>) -> Result<Content, BackendError> {
    let rest = sealed.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<NONCE>());
    let (nonce, sealed) =
        rest.ok_or_else(|| BackendError::invalid("is no file of sealed secrets"))?;
    let nonce = XNonce::from(*nonce);
    let opened = cipher(passphrase, &nonce)?.decrypt(&nonce, sealed);
    let wrong = |_| BackendError::denied("the passphrase is wrong, or the file was tampered with");
    content(&Zeroizing::new(opened.map_err(wrong)?))
}

/// The parser's own errors are not told, for they quote what they found.
fn content(json: &[u8]) -> Result<Content, BackendError> {
    let expected =
        || BackendError::invalid("expected JSON: each path with a text, or with keys of texts");
    let paths: BTreeMap<String, Value> = serde_json::from_slice(json).map_err(|_| expected())?;
    let data = |value: Value| match value {
        Value::String(text) => Some(SecretData::from(Secret::new(text))),
        Value::Object(keys) => {
            keys.into_iter().try_fold(SecretData::new(), |data, (key, value)| match value {
                Value::String(text) => Some(data.with(Some(&key), Secret::new(text))),
                _ => None,
            })
        }
        _ => None,
    };
    let all = paths.into_iter().map(|(path, value)| Some((path, data(value)?.whole())));
    all.collect::<Option<Content>>().ok_or_else(expected)
}

impl Backend for Encrypted {
    fn get<'a>(&'a self, path: &'a str, _key: Option<&'a str>) -> Answer<'a> {
        Box::pin(async move {
            let content = self.content().await?;
            let file = self.config.path.display();
            let missing = || BackendError::not_found(format!("no such path in {file}"));
            content.get(path).cloned().ok_or_else(missing)
        })
    }
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encrypted").field("path", &self.config.path).finish_non_exhaustive()
    }
}
