use std::collections::BTreeSet;

use bytes::Bytes;
use core_types::Status;
use http::{HeaderValue, Method, Response, StatusCode, header, request};

use crate::entry::Entry;
use crate::shared::{Members, Shared};
use crate::summary::Summary;
use crate::{CheckSnapshot, Group};

mod accept;
mod body;

use accept::Format;
pub(crate) use body::member;

/// Every prefix of ours; those that begin with another come before it.
const PATHS: [(&str, Group); 9] = [
    ("/health/live", Group::Liveness),
    ("/health/ready", Group::Readiness),
    ("/health/startup", Group::Startup),
    ("/health", Group::Everything),
    ("/healthz", Group::Everything),
    ("/livez", Group::Liveness),
    ("/readyz", Group::Readiness),
    ("/ready", Group::Readiness),
    ("/startupz", Group::Startup),
];

/// What is true now is not for later.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What there is to say, before it is written in one format or another.
struct Answer<'a> {
    group: &'a str,
    status: Status,
    checks: Vec<&'a CheckSnapshot>,
    excluded: Vec<&'a CheckSnapshot>,
    /// Names that were to be excluded, and are not there.
    unmatched: BTreeSet<&'a str>,
    uptime: std::time::Duration,
    version: &'a str,
    details: bool,
    verbose: bool,
}

pub(crate) fn respond(
    shared: &Shared,
    parts: &request::Parts,
    details: bool,
) -> Option<Response<Bytes>> {
    let (_, group, name) = matching(parts.uri.path())?;
    let (own, name) = match name.filter(|_| group == Group::Everything) {
        Some(path) => own(shared, path),
        None => (None, name),
    };
    let format = accept::choose(&parts.headers);
    let is_head = parts.method == Method::HEAD;
    // What probes ask for, all day.
    let is_plain = name.is_none() && own.is_none() && parts.uri.query().is_none() && !details;
    if is_plain && format != Format::HealthJson && (is_head || parts.method == Method::GET) {
        let (status, body) = plain(shared, group, format);
        return Some(write(status, body, format, is_head));
    }
    let is_asked = |entry: &Entry| {
        let is_member = match &own {
            Some((_, members)) => members.contains(&entry.name),
            None => entry.is_in(group),
        };
        is_member && name.is_none_or(|name| *entry.name == *name)
    };
    let snapshot = shared.snapshot(is_asked);
    let mut checks: Vec<_> = snapshot.checks.iter().collect();
    if name.is_some() && checks.is_empty() {
        return None;
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Some(refuse());
    }
    let query = parts.uri.query().map(|query| query.replace("%2C", ",").replace("%2c", ","));
    let (verbose, mut unmatched) = query.as_deref().map(read).unwrap_or_default();
    let excluded = checks.extract_if(.., |check| unmatched.remove(&*check.name)).collect();
    // What was asked for by name counts in full.
    let is_named = name.is_some() || own.is_some();
    let weight = |check: &&CheckSnapshot| {
        if is_named { check.state.counts_as() } else { check.weight() }
    };
    let status = checks.iter().map(weight).max().unwrap_or_default();
    let answer = Answer {
        group: own.as_ref().map_or(group.as_str(), |(name, _)| name),
        status,
        checks,
        excluded,
        unmatched,
        uptime: snapshot.uptime,
        version: &shared.version,
        details,
        verbose,
    };
    let body = match format {
        Format::Json => {
            let members = body::members(&answer.checks, details);
            let warning = body::warning(&answer);
            let version = &shared.version_json;
            body::json(status, answer.uptime, version, &members, warning.as_deref()).into()
        }
        Format::HealthJson => body::health_json(&answer).into(),
        Format::Text => body::text(&answer),
    };
    Some(write(status, body, format, is_head))
}

/// A whole group, as everybody may know it.
fn plain(shared: &Shared, group: Group, format: Format) -> (Status, Bytes) {
    shared.summary(group, |summary, uptime| {
        let Summary { status, members, .. } = summary;
        let body = match format {
            Format::Text => status.as_str().into(),
            _ => body::json(*status, uptime, &shared.version_json, members, None).into(),
        };
        (*status, body)
    })
}

/// An answer by 200 in parts, for a host that has a way of its own for probes.
///
/// To be sent with `Cache-Control: no-store`.
#[derive(Debug)]
pub struct GoodNews {
    /// The template of the path: what [`probe`] gives for it.
    pub probe: &'static str,
    /// What the body is.
    pub content_type: HeaderValue,
    /// What there is to say.
    pub body: Bytes,
}

pub(crate) fn good_news(shared: &Shared, parts: &request::Parts) -> Option<GoodNews> {
    let (probe, group, None) = matching(parts.uri.path())? else { return None };
    let format = accept::choose(&parts.headers);
    if parts.method != Method::GET || parts.uri.query().is_some() || format == Format::HealthJson {
        return None;
    }
    let (status, body) = plain(shared, group, format);
    let content_type = format.media_type();
    (status != Status::Unhealthy).then_some(GoodNews { probe, content_type, body })
}

/// The probe that a path asks for, such as `/health/ready`, if it asks for one: what is never shed,
/// redirected, or logged line by line. The names of single checks are left out, so that these are
/// few.
pub fn probe(path: &str) -> Option<&'static str> {
    matching(path).map(|(template, ..)| template)
}

/// The group that a path asks for, and perhaps the one check of it.
fn matching(path: &str) -> Option<(&'static str, Group, Option<&str>)> {
    PATHS.iter().find_map(|&(prefix, group)| {
        let rest = path.strip_prefix(prefix)?;
        if rest.is_empty() {
            Some((prefix, group, None))
        } else {
            Some((prefix, group, Some(rest.strip_prefix('/')?)))
        }
    })
}

/// The group of one's own that a path begins with, and perhaps the one check of it.
fn own<'a>(shared: &Shared, path: &'a str) -> (Option<(&'a str, Members)>, Option<&'a str>) {
    let (group, name) = match path.split_once('/') {
        Some((group, name)) => (group, Some(name)),
        None => (path, None),
    };
    match shared.members(group) {
        Some(members) => (Some((group, members)), name),
        None => (None, Some(path)),
    }
}

/// Whether the query wants it verbose, and the names that it excludes.
///
/// Names need no escaping; the caller has undone that of the comma between them.
fn read(query: &str) -> (bool, BTreeSet<&str>) {
    let mut verbose = false;
    let mut exclude = BTreeSet::new();
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        match key {
            "verbose" => verbose = true,
            "exclude" => exclude.extend(value.split(',').filter(|name| !name.is_empty())),
            _ => {}
        }
    }
    (verbose, exclude)
}

fn write(status: Status, body: Bytes, format: Format, is_head: bool) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    if status == Status::Unhealthy {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, format.media_type());
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    if is_head {
        // Who has a body tells its length anyway.
        headers.insert(header::CONTENT_LENGTH, body.len().into());
    } else {
        *response.body_mut() = body;
    }
    response
}

fn refuse() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}
