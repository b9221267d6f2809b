//! The backend `azure`, against a server that says what the documentation of Key Vault (7.4), of
//! Entra ID and of the metadata service says: no emulator of it could be had.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "../aws/http.rs"]
mod http;
mod login;
#[path = "../aws/loopback.rs"]
mod loopback;
mod read;
#[path = "../aws/support.rs"]
mod support;

use core_secrets::Config;

use loopback::{Loopback, Play, answer};
use support::{read, refused};

/// Secrets of the backend alone, by a client secret.
fn config(address: &str) -> Config {
    let mut config = Config::default();
    config.backend = "azure".into();
    config.retries = 0;
    config.azure.url = format!("http://{address}/");
    config.azure.authority = format!("http://{address}/");
    config.azure.identity_url = format!("http://{address}/identity");
    config.azure.tenant_id = "tenant".into();
    config.azure.client_id = "application".into();
    config.azure.client_secret = Some("canary &+=".into());
    // On a busy machine a healthy server may take longer than the default.
    config.azure.request_timeout = core_types::Duration::from_secs(20);
    config
}

fn token(number: usize) -> String {
    let token = format!(
        r#"{{"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"canary-{number}"}}"#
    );
    answer("200 OK", &token)
}

fn secret(value: &str) -> String {
    let value = serde_json::Value::from(value);
    let id = "https://name.vault.azure.net/secrets/key/4387e9f3d6e14c459867679a90fd0f79";
    let attributes = r#"{"enabled":true,"created":1493938410,"updated":1493938410}"#;
    answer("200 OK", &format!(r#"{{"value":{value},"id":"{id}","attributes":{attributes}}}"#))
}

fn refusal(status: &str, code: &str) -> String {
    let text = format!(r#"{{"error":{{"code":"{code}","message":"canary"}}}}"#);
    answer(status, &text)
}

/// Tokens for everybody, and what the test wants to be said to who asks for a secret.
async fn with_tokens(play: Play) -> Loopback {
    Loopback::new(
        move |request, number| {
            if request.starts_with("POST") { token(number) } else { play(request, number) }
        },
    )
    .await
}
