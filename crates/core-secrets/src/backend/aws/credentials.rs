//! Who the process is, for AWS.

use core_types::Secret;
use reqwest::Client;
use serde::Deserialize;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::backend::{BackendError, cloud};
use crate::config::AwsConfig;

/// So long before their end, others are fetched.
const AHEAD: Duration = Duration::minutes(5);

pub(super) struct Credentials {
    pub(super) id: String,
    pub(super) key: Secret<String>,
    pub(super) token: Option<Secret<String>>,
    /// When they end, if they were fetched.
    end: Option<OffsetDateTime>,
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
    pub(super) async fn get(config: &AwsConfig, client: &Client) -> Result<Self, BackendError> {
        if let (false, Some(key)) = (config.access_key_id.is_empty(), &config.secret_access_key) {
            let (id, key, token) =
                (config.access_key_id.clone(), key.clone(), config.session_token.clone());
            return Ok(Self { id, key, token, end: None });
        }
        let mut request = client.get(&config.credentials_url);
        if let Some(file) = &config.credentials_token_file {
            let token =
                tokio::fs::read_to_string(file).await.map(Secret::new).map_err(|error| {
                    let text = format!("cannot read {}", file.display());
                    BackendError::unavailable(text).with_source(error)
                })?;
            request = request.header("authorization", token.expose().trim());
        }
        let reply = cloud::send(request).await?;
        let status = reply.status;
        if status.is_client_error() {
            let text = format!("`aws.credentials_url` says {}", status.as_u16());
            return Err(BackendError::denied(text));
        }
        let nonsense = || BackendError::unavailable("`aws.credentials_url` gives no credentials");
        // What the parser complains of may be a key.
        let told: Told = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
        let end = OffsetDateTime::parse(&told.expiration, &Rfc3339).map_err(|_| nonsense())?;
        Ok(Self {
            id: told.access_key_id,
            key: Secret::new(told.secret_access_key),
            token: told.token.map(Secret::new),
            end: Some(end),
        })
    }

    /// Whether they can be used for a while.
    pub(super) fn last(&self) -> bool {
        self.end.is_none_or(|end| OffsetDateTime::now_utc() < end - AHEAD)
    }

    pub(super) fn can_be_renewed(&self) -> bool {
        self.end.is_some()
    }
}
