//! The operators' port: probes, metrics, and what changes a running service.

mod answer;
mod levels;
mod order;
mod token;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use core_http::Failure;
use core_shutdown::Reason;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use tower_service::Service;

use self::answer::{json, not_allowed};
use crate::blocking::blocking;
use crate::reload::Cause;
use crate::service::name_route;
use crate::{Body, Host};

/// Under which name this is logged.
const LOG: &str = "core_app::ops";

/// What is there beside the probes.
const PATHS: [&str; 5] = ["/metrics", "/ops/reload", "/ops/log-levels", "/ops/stop", "/ops/config"];

/// What the operators' port answers.
pub(crate) struct OpsService<A>(Arc<Host<A>>);

impl<A> OpsService<A> {
    pub(crate) fn new(host: Host<A>) -> Self {
        Self(Arc::new(host))
    }
}

impl<A> Clone for OpsService<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

type Answer = Result<Response<Bytes>, Failure>;

impl<A: core_config::Settings> Service<Request<Body>> for OpsService<A> {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let host = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let response = match answer(&host, &parts, body).await {
                Ok(response) => response,
                Err(failure) => failure.into_response(),
            };
            Ok(response.map(Full::new))
        })
    }
}

async fn answer<A: core_config::Settings>(host: &Host<A>, parts: &Parts, body: Body) -> Answer {
    let configured = host.settings().host.ops.token.clone();
    let permission = token::check(&parts.headers, configured.as_ref());
    let path = parts.uri.path();
    let template = PATHS.into_iter().find(|template| *template == path);
    name_route(parts, template.or_else(|| core_health::probe(path)));
    if let Some(probe) = host.health().respond(parts, permission.is_ok()) {
        return Ok(probe);
    }
    let mut response = match path {
        // Collectors are others' code.
        "/metrics" => {
            let (metrics, parts) = (host.metrics().clone(), parts.clone());
            let rendered = blocking(move || metrics.respond(&parts)).await;
            return rendered.map_err(Failure::internal);
        }
        "/ops/reload" => reload(host, parts, permission).await,
        "/ops/log-levels" => levels::answer(host, parts, body, permission).await,
        "/ops/stop" => stop(host, parts, permission).await,
        "/ops/config" => config(host, parts, permission),
        _ => return Err(Failure::not_found("there is nothing at this path")),
    }?;
    response.headers_mut().insert(header::CACHE_CONTROL, answer::NO_STORE);
    Ok(response)
}

async fn reload<A: core_config::Settings>(
    host: &Host<A>,
    parts: &Parts,
    permission: Result<(), Failure>,
) -> Answer {
    if parts.method != Method::POST {
        return Ok(not_allowed("POST"));
    }
    permission?;
    order::write(host, parts, "reload", &[]).await?;
    tracing::info!(target: LOG, by = %answer::caller(parts), "configuration reload requested");
    match host.reload_for(Cause::Requested).await {
        None => Err(Failure::unavailable("the service is stopping")),
        Some(Ok(reloaded)) => {
            let keys = |keys: &[core_config::Key]| -> Vec<String> {
                keys.iter().map(ToString::to_string).collect()
            };
            let without_effect: Vec<serde_json::Value> = reloaded
                .without_effect
                .iter()
                .map(|(key, origin)| json!({"key": key.to_string(), "overridden_by": origin.to_string()}))
                .collect();
            let status = if reloaded.changed.is_empty() { "unchanged" } else { "applied" };
            Ok(json(
                StatusCode::OK,
                &json!({
                    "status": status,
                    "generation": reloaded.generation,
                    "changed": keys(&reloaded.changed),
                    "pending_restart": keys(&reloaded.pending_restart),
                    "without_effect": without_effect,
                }),
            ))
        }
        Some(Err(refused)) => {
            let reasons: Vec<&str> = refused.reasons.lines().map(str::trim).collect();
            let failure = Failure::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "CONFIGURATION_REFUSED",
                "the configuration was refused; the old one stays",
            );
            Err(failure.with_details(json!({ "reasons": reasons.get(1..).unwrap_or_default() })))
        }
    }
}

async fn stop<A>(host: &Host<A>, parts: &Parts, permission: Result<(), Failure>) -> Answer {
    if parts.method != Method::POST {
        return Ok(not_allowed("POST"));
    }
    permission?;
    order::write(host, parts, "stop", &[]).await?;
    tracing::info!(target: LOG, by = %answer::caller(parts), "stop requested");
    host.shutdown().trigger(Reason::Requested);
    Ok(json(StatusCode::ACCEPTED, &json!({ "status": "stopping" })))
}

fn config<A: core_config::Settings>(
    host: &Host<A>,
    parts: &Parts,
    permission: Result<(), Failure>,
) -> Answer {
    if parts.method != Method::GET {
        return Ok(not_allowed("GET"));
    }
    permission?;
    let current = host.settings();
    let settings: Vec<_> = current
        .effective
        .iter()
        .map(|setting| {
            let overrides: Vec<_> = setting
                .overrides
                .iter()
                .map(|(origin, value)| json!({ "value": value, "origin": origin.to_string() }))
                .collect();
            json!({
                "key": setting.key.to_string(),
                "value": setting.value,
                "origin": setting.origin.to_string(),
                "overrides": overrides,
            })
        })
        .collect();
    Ok(json(
        StatusCode::OK,
        &json!({
            "generation": current.number,
            "hash": format!("{:016x}", current.effective.hash()),
            "applied_at": core_types::Timestamp::from(current.applied_at).to_string(),
            "settings": settings,
        }),
    ))
}

/// The whole of a small body.
async fn read(body: Body) -> Result<Bytes, Failure> {
    let collected = body.collect().await;
    collected
        .map(http_body_util::Collected::to_bytes)
        .map_err(|error| Failure::bad_request("the body cannot be read").with_source(error))
}
