//! The backend `aws`: against moto, which plays AWS Secrets Manager, and against a loopback server
//! for what moto does not do.
#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "../vault/support/canary.rs"]
mod canary;
mod http;
mod loopback;
mod moto;
#[path = "../kubernetes/process.rs"]
mod process;
mod refusals;
mod support;

use core_secrets::Config;

use support::{read, refused};

/// Secrets of the backend alone, by a key of the configuration.
fn config(address: &str) -> Config {
    let mut config = Config::default();
    config.backend = "aws".into();
    config.retries = 0;
    config.aws.region = "eu-central-1".into();
    config.aws.endpoint = format!("http://{address}");
    config.aws.access_key_id = "key-of-a-test".into();
    config.aws.secret_access_key = Some(canary::canary("key").into());
    // On a busy machine a healthy server may take longer than the default.
    config.aws.request_timeout = core_types::Duration::from_secs(20);
    config
}
