//! Mira on HTTP: messages and webhooks. What is said there is fixed in `docs/api.md`.

mod failure;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use core_app::Host;
use core_app::http::{Failure, MatchedRoute};
use serde_json::json;

use self::failure::failure;
use crate::Settings;
use crate::platform::{Answer, Platform, Reply};
use crate::webhook::{Delivery, Provider};

/// What the handlers share.
#[derive(Clone)]
struct Mira {
    host: Host<Settings>,
    platform: Platform,
}

/// The routes of the app's port.
pub(crate) fn routes(host: Host<Settings>, platform: Platform) -> Router {
    Router::new()
        .route("/api/messages", post(submit))
        .route("/api/messages/{id}", get(message))
        .route("/webhook/github", post(github))
        .route("/webhook/jira", post(jira))
        .route_layer(MatchedRoute)
        .with_state(Mira { host, platform })
}

async fn submit(
    State(mira): State<Mira>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Failure> {
    let wait = wants_to_wait(query.as_deref())?;
    let reply = mira.platform.handle_api(&body, wait).await.map_err(failure)?;
    Ok(match reply {
        Reply::Completed(answer) => Json(answer).into_response(),
        Reply::Accepted(answer) | Reply::Duplicate(answer) => accepted(&answer),
    })
}

/// `?wait=false` does not wait; anything but a boolean is a mistake, for it would be one to guess.
fn wants_to_wait(query: Option<&str>) -> Result<bool, Failure> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let wait = pairs.filter(|(name, _)| *name == "wait").map(|(_, value)| value).next_back();
    let wrong = |_| Failure::validation("`wait` must be `true` or `false`");
    wait.map_or(Ok(true), |value| value.parse().map_err(wrong))
}

/// Not done yet: told where to ask.
fn accepted(answer: &Answer) -> Response {
    (StatusCode::ACCEPTED, [(header::LOCATION, answer.location())], Json(answer)).into_response()
}

async fn message(State(mira): State<Mira>, Path(id): Path<String>) -> Result<Response, Failure> {
    let answer = mira.platform.message_state(&id).await.map_err(failure)?;
    Ok(Json(answer).into_response())
}

async fn github(
    State(mira): State<Mira>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    webhook(&mira, Provider::Github, &headers, &body).await
}

async fn jira(
    State(mira): State<Mira>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    webhook(&mira, Provider::Jira, &headers, &body).await
}

async fn webhook(
    mira: &Mira,
    provider: Provider,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Response, Failure> {
    // As it is now: a rotated secret counts from the next delivery on.
    let settings = mira.host.settings();
    let integrations = &settings.app.integrations;
    let secret = match provider {
        Provider::Github => integrations.github.secret(),
        Provider::Jira => integrations.jira.secret(),
    };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let delivery = Delivery {
        signature: text(provider.signature_header()),
        id: text(provider.delivery_header()),
        event: provider.event_header().and_then(text),
        body,
    };
    let reply = mira.platform.handle_webhook(provider, secret, &delivery).await.map_err(failure)?;
    Ok(match reply {
        Reply::Duplicate(answer) | Reply::Completed(answer) => short(StatusCode::OK, &answer),
        Reply::Accepted(answer) => short(StatusCode::ACCEPTED, &answer),
    })
}

/// What a sender of events is told.
fn short(status: StatusCode, answer: &Answer) -> Response {
    let body = json!({ "message_id": answer.message_id, "status": answer.status });
    (status, Json(body)).into_response()
}
