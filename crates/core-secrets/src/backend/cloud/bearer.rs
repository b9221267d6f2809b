//! Tokens that are shown to a service as they are: OAuth 2.0, as Azure and Google have it.

use std::sync::Arc;

use core_types::Secret;
use reqwest::RequestBuilder;
use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use tokio::sync::Mutex;

use super::{BackendError, Login, send};

pub(in crate::backend) type Bearer = Login<Secret<String>>;
pub(in crate::backend) type Tokens = Mutex<Option<Arc<Bearer>>>;

/// What is answered to who may have a token.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Seconds,
}

/// Azure's machines write numbers in quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u32),
    Text(String),
}

/// Asks for a token.
pub(in crate::backend) async fn bearer(
    request: RequestBuilder,
    who: &str,
) -> Result<Bearer, BackendError> {
    let reply = send(request).await?;
    if !reply.status.is_success() {
        return Err(reply.no_login(who, "/error"));
    }
    let nonsense = || BackendError::unavailable(format!("{who} gives no token"));
    // What the parser complains of may be the token.
    let granted: Granted = serde_json::from_slice(&reply.body).map_err(|_| nonsense())?;
    let shown = Secret::new(granted.access_token);
    let seconds = match granted.expires_in {
        Seconds::Number(seconds) => seconds,
        Seconds::Text(text) => text.parse().map_err(|_| nonsense())?,
    };
    let end = OffsetDateTime::now_utc() + Duration::seconds(seconds.into());
    Ok(Login { shown, end: Some(end), refused: None })
}
