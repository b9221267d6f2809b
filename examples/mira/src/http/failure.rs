use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use core_app::http::Failure;

use crate::webhook::Provider;
use crate::{Error, error::Kind};

/// Full queues empty within a second or so.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a caller is told of an error, and what only the log is told.
pub(super) fn failure(error: Error) -> Failure {
    let kind = error.kind();
    let status = match kind {
        Kind::Invalid | Kind::UnknownType => StatusCode::BAD_REQUEST,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Unauthorized => StatusCode::UNAUTHORIZED,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let failure =
        Failure::new(status, kind.code(), error.to_string()).with_details(error.details());
    match error {
        Error::Unsigned(provider) | Error::Unauthorized(provider) => {
            failure.with_challenge(challenge(provider))
        }
        _ => match kind {
            Kind::Unavailable => failure.with_retry_after(RETRY_AFTER).with_source(error),
            Kind::Internal => failure.with_source(error),
            _ => failure,
        },
    }
}

/// What a sender of events has to show. No scheme that is registered signs bodies in such a way, so
/// it is named for the method.
fn challenge(provider: Provider) -> HeaderValue {
    HeaderValue::from_static(match provider {
        Provider::Github => r#"HMAC-SHA256 realm="github", header="X-Hub-Signature-256""#,
        Provider::Jira => r#"HMAC-SHA256 realm="jira", header="X-Hub-Signature""#,
    })
}
