//! Who the process is, for AWS.

use core_types::Secret;
use reqwest::Client;
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::backend::BackendError;
use crate::backend::cloud::{Login, file, send};
use crate::config::AwsConfig;

pub(in crate::backend) struct Credentials {
    pub(super) id: String,
    pub(super) key: Secret<String>,
    pub(super) token: Option<Secret<String>>,
}

/// What a container is told.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Told {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: String,
}

impl Credentials {
    pub(super) async fn get(
        config: &AwsConfig,
        client: &Client,
    ) -> Result<Login<Self>, BackendError> {
        if let (false, Some(key)) = (config.access_key_id.is_empty(), &config.secret_access_key) {
            let (id, key, token) =
                (config.access_key_id.clone(), key.clone(), config.session_token.clone());
            return Ok(Login { shown: Self { id, key, token }, end: None, refused: None });
        }
        let mut request = client.get(&config.credentials_url);
        if let Some(path) = &config.credentials_token_file {
            request = request.header("authorization", file(path).await?.trim());
        }
        let reply = send(request).await?;
        if !reply.status.is_success() {
            return Err(reply.no_login("`aws.credentials_url`", "/code"));
        }
        let nonsense = || BackendError::unavailable("`aws.credentials_url` gives no credentials");
        // What the parser complains of may be a key.
        let told: Told = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
        let end = OffsetDateTime::parse(&told.expiration, &Rfc3339).map_err(|_| nonsense())?;
        let shown = Self {
            id: told.access_key_id,
            key: Secret::new(told.secret_access_key),
            token: told.token.map(Secret::new),
        };
        Ok(Login { shown, end: Some(end), refused: None })
    }
}
