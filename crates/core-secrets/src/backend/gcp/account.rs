//! The key of a service account, and the login that it signs.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use core_types::Secret;
use reqwest::Client;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use crate::backend::BackendError;
use crate::backend::cloud::{Bearer, bearer, file};

/// Which of Google's services the token is for; what it may do there, IAM says.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that Google accepts, in seconds.
const LASTS: i64 = 3600;

/// The file that Google gives for a key.
#[derive(Deserialize)]
pub(super) struct Account {
    client_email: String,
    private_key_id: String,
    private_key: Secret<String>,
    token_uri: String,
}

impl Account {
    pub(super) async fn read(path: &Path) -> Result<Self, BackendError> {
        // What the parser complains of may be the key.
        serde_json::from_str(&file(path).await?).map_err(|_| {
            let path = path.display();
            BackendError::invalid(format!("{path} is no key of a service account"))
        })
    }

    pub(super) async fn log_in(&self, client: &Client) -> Result<Bearer, BackendError> {
        let assertion = self.assertion(OffsetDateTime::now_utc())?;
        let form = [("grant_type", GRANT), ("assertion", &*assertion)];
        bearer(client.post(&self.token_uri).form(&form), "`gcp.credentials_file`'s server").await
    }

    /// A token that the key signs: RFC 7523, in the form that Google documents.
    fn assertion(&self, now: OffsetDateTime) -> Result<String, BackendError> {
        let now = now.unix_timestamp();
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.private_key_id});
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri,
            "iat": now, "exp": now + LASTS,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let unusable = || BackendError::invalid("the key in `gcp.credentials_file` cannot be used");
        let key = PrivateKeyDer::from_pem_slice(self.private_key.expose().as_bytes());
        let key = any_supported_type(&key.map_err(|_| unusable())?).map_err(|_| unusable())?;
        let signer =
            key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or_else(unusable)?;
        let signature = signer.sign(signed.as_bytes()).map_err(|_| unusable())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
