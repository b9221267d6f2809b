use std::time::Duration;

use axum::http::StatusCode;
use core_app::http::Failure;

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
    match kind {
        Kind::Unavailable => failure.with_retry_after(RETRY_AFTER).with_source(error),
        Kind::Internal => failure.with_source(error),
        _ => failure,
    }
}
