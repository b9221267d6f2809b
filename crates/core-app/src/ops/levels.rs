use std::collections::HashMap;

use core_http::Failure;
use core_log::{Level, Logging};
use core_types::Duration;
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{caller, json, not_allowed};
use super::{Answer, order, read};
use crate::{Body, Host};

/// Under which name this is logged.
const LOG: &str = "core_app::ops";

/// A change by hand lasts so long unless it says otherwise: long enough to look at something, and
/// short enough to be forgotten.
const LASTS: Duration = Duration::from_secs(15 * 60);
/// Nobody looks at something for longer than a day.
const MOST: Duration = Duration::from_secs(24 * 3600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    /// All, if none is named.
    target: Option<String>,
    level: String,
    ttl: Option<Duration>,
}

/// `GET`: the levels. `PUT {"target", "level", "ttl"}`: changes one for a time. `DELETE ?target=`:
/// ends a change.
pub(super) async fn answer<A>(
    host: &Host<A>,
    parts: &Parts,
    body: Body,
    permission: Result<(), Failure>,
) -> Answer {
    if ![Method::GET, Method::PUT, Method::DELETE].contains(&parts.method) {
        return Ok(not_allowed("GET, PUT, DELETE"));
    }
    permission?;
    let Some(logging) = host.logging() else {
        return Err(Failure::unavailable("this process has no log of its own"));
    };
    if parts.method == Method::PUT {
        let body = read(body).await?;
        let change: Change = serde_json::from_slice(&body).map_err(|error| {
            let expected = r#"expected {"target": "mira", "level": "debug", "ttl": "15m"}"#;
            Failure::bad_request(expected).with_source(error)
        })?;
        let (level, lasts) = checked(&change)?;
        let target = change.target.as_deref();
        let details = [("target", target.unwrap_or("all")), ("level", level.as_str())];
        order::write(host, parts, "set_log_level", &details).await?;
        set(logging, parts, target, level, lasts)?;
    } else if parts.method == Method::DELETE {
        order::write(host, parts, "reset_log_level", &[]).await?;
        reset(logging, parts)?;
    }
    Ok(json(StatusCode::OK, &list(logging)))
}

fn checked(change: &Change) -> Result<(Level, Duration), Failure> {
    let level: Level = change
        .level
        .parse()
        .map_err(|error: core_log::Error| Failure::validation(error.to_string()))?;
    let lasts = change.ttl.unwrap_or(LASTS);
    if lasts.is_zero() || lasts > MOST {
        return Err(Failure::validation(format!("`ttl` must be above zero and at most {MOST}")));
    }
    Ok((level, lasts))
}

fn set(
    logging: &Logging,
    parts: &Parts,
    target: Option<&str>,
    level: Level,
    lasts: Duration,
) -> Result<(), Failure> {
    logging.set_level(target, level, lasts.get()).map_err(Failure::internal)?;
    let (target, level) = (target.unwrap_or("all"), level.as_str());
    tracing::info!(target: LOG, by = %caller(parts), of = target, to = level, ttl = %lasts, "log level changed");
    Ok(())
}

fn reset(logging: &Logging, parts: &Parts) -> Result<(), Failure> {
    let query: HashMap<&str, &str> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|p| p.split_once('='))
        .collect();
    let target = query.get("target").copied();
    if !logging.reset_level(target) {
        return Err(Failure::not_found("no level was changed by hand for this target"));
    }
    tracing::info!(target: LOG, by = %caller(parts), of = target.unwrap_or("all"), "log level reset");
    Ok(())
}

fn list(logging: &Logging) -> Value {
    let levels: Vec<Value> = logging
        .levels()
        .into_iter()
        .map(|status| {
            json!({
                "target": status.target,
                "configured": status.configured.as_str(),
                "effective": status.effective.as_str(),
                "expires_in_seconds": status.expires_in.map(|left| left.as_secs()),
            })
        })
        .collect();
    json!({ "levels": levels })
}
