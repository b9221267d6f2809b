//! The backend `gcp`, against a server that says what the documentation of Secret Manager (v1), of
//! the metadata server and of service accounts says: no emulator of it could be had.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "../aws/http.rs"]
mod http;
mod login;
#[path = "../aws/loopback.rs"]
mod loopback;
mod read;
#[path = "../aws/support.rs"]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use core_secrets::Config;

use loopback::{Loopback, Play, answer};
use support::{read, refused};

/// Secrets of the backend alone, as a machine of Google's.
fn config(address: &str) -> Config {
    let mut config = Config::default();
    config.backend = "gcp".into();
    config.retries = 0;
    config.gcp.project = "project-1".into();
    config.gcp.endpoint = format!("http://{address}/");
    config.gcp.metadata_url = format!("http://{address}/token");
    // On a busy machine a healthy server may take longer than the default.
    config.gcp.request_timeout = core_types::Duration::from_secs(20);
    config
}

fn token(number: usize) -> String {
    let token =
        format!(r#"{{"access_token":"canary-{number}","expires_in":3599,"token_type":"Bearer"}}"#);
    answer("200 OK", &token)
}

/// The sum is the one that Google would send.
fn secret(value: &[u8], sum: u32) -> String {
    let name = "projects/1/secrets/key/versions/2";
    let payload = format!(r#"{{"data":"{}","dataCrc32c":"{sum}"}}"#, STANDARD.encode(value));
    answer("200 OK", &format!(r#"{{"name":"{name}","payload":{payload}}}"#))
}

fn refusal(status: &str, name: &str) -> String {
    let text = format!(r#"{{"error":{{"code":400,"message":"canary","status":"{name}"}}}}"#);
    answer(status, &text)
}

/// Tokens for everybody, and what the test wants to be said to who asks for a secret.
async fn with_tokens(play: Play) -> Loopback {
    Loopback::new(
        move |request, number| {
            if request.contains("/token ") { token(number) } else { play(request, number) }
        },
    )
    .await
}
