//! A line by the rules of those who read it. All lines are made by our own first.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::opentelemetry;
use crate::json;

/// By whose rules a JSON line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Schema {
    /// Our own.
    #[default]
    Mira,
    /// Elastic Common Schema: <https://www.elastic.co/docs/reference/ecs/logging>.
    Ecs,
    /// OTLP in JSON, as files have it:
    /// <https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/>.
    Opentelemetry,
    /// Google Cloud: <https://cloud.google.com/logging/docs/structured-logging>.
    GoogleCloud,
    /// Datadog: <https://docs.datadoghq.com/standard-attributes>.
    Datadog,
}

/// How a JSON line differs from our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) schema: Schema,
    pub(crate) rename: BTreeMap<String, String>,
    pub(crate) add: BTreeMap<String, String>,
    pub(crate) drop: Vec<String>,
    /// The name and the version of the service, for those who ask.
    pub(crate) service: (String, String),
    /// Google's project, if it is told.
    pub(crate) project: Option<String>,
}

/// A name, and a value as JSON.
pub(super) type Member<'a> = (Cow<'a, str>, Cow<'a, str>);

impl Shape {
    /// Whether a line is to be changed at all.
    pub(crate) fn is_plain(&self) -> bool {
        let is_same = self.rename.is_empty() && self.add.is_empty() && self.drop.is_empty();
        self.schema == Schema::Mira && is_same
    }

    /// Appends a line of our own in this shape.
    pub(crate) fn write(&self, out: &mut String, line: &str) {
        let mut members = self.members(line);
        match self.schema {
            Schema::Mira => write_flat(out, &members, |name, _| Place::As(name), &[], ""),
            Schema::Ecs => {
                let (name, version) = &self.service;
                let own = [("service.name", name.as_str()), ("service.version", version)];
                let own = [[("ecs.version", "8.11")].as_slice(), &own].concat();
                write_flat(out, &members, ecs, &own, "labels");
            }
            Schema::Opentelemetry => opentelemetry::write(out, &members, &self.service),
            Schema::GoogleCloud => {
                let source = take_source(&mut members);
                self.name_trace(&mut members);
                write_flat(out, &members, google_cloud, &[], "logging.googleapis.com/labels");
                out.push_str(&source);
            }
            Schema::Datadog => {
                let own = [("service", self.service.0.as_str()), ("version", &self.service.1)];
                write_flat(out, &members, datadog, &own, "labels");
            }
        }
        out.push_str("}\n");
    }

    /// Makes a trace's id the name that Google knows it by.
    fn name_trace(&self, members: &mut [Member<'_>]) {
        let Some(project) = &self.project else { return };
        if let Some((_, value)) = members.iter_mut().find(|(name, _)| name == "trace_id") {
            let mut trace = String::new();
            let id = json::text_of(value);
            json::string(&mut trace, &format!("projects/{project}/traces/{id}"));
            *value = trace.into();
        }
    }

    /// What is left of a line's members, and what is added, by their names.
    fn members<'a>(&self, line: &'a str) -> Vec<Member<'a>> {
        let mut members: Vec<Member<'a>> = json::members(line)
            .map(|(name, value)| (json::unescape(name), Cow::from(value)))
            .filter(|(name, _)| !self.drop.iter().any(|drop| drop == name))
            .collect();
        for (name, _) in &mut members {
            if let Some(other) = self.rename.get(name.as_ref()) {
                *name = Cow::from(other.clone());
            }
        }
        for (name, value) in &self.add {
            let mut text = String::new();
            json::string(&mut text, value);
            members.push((name.clone().into(), text.into()));
        }
        members
    }
}

/// What becomes of a member.
enum Place<'a> {
    /// It stands under this name.
    As(&'a str),
    /// It stands under this name, with this value as JSON.
    With(&'a str, String),
    /// It is one of the labels.
    Label,
}

/// Appends all members but the closing brace, each name once: the first of two that are the same
/// keeps it.
fn write_flat(
    out: &mut String,
    members: &[Member<'_>],
    place: impl for<'a> Fn(&'a str, &str) -> Place<'a>,
    own: &[(&str, &str)],
    group: &str,
) {
    let mut names = HashSet::new();
    let mut labels: Vec<(String, String)> = Vec::new();
    let mut labelled = HashSet::new();
    out.push('{');
    let mut put = |out: &mut String, name: &str, value: &str| {
        let mut name = Cow::from(name);
        while !names.insert(name.to_string()) {
            name = format!("field.{name}").into();
        }
        out.push_str(if out.ends_with('{') { "" } else { "," });
        json::string(out, &name);
        out.push(':');
        out.push_str(value);
    };
    for (name, value) in members {
        match place(name, value) {
            Place::As(name) => put(out, name, value),
            Place::With(name, value) => put(out, name, &value),
            Place::Label => {
                // A dot would make a table of it.
                let mut label = name.replace(['.', '*', '\\'], "_");
                while !labelled.insert(label.clone()) {
                    label.insert_str(0, "field_");
                }
                labels.push((label, as_text(value)));
            }
        }
    }
    for (name, text) in own.iter().filter(|(_, text)| !text.is_empty()) {
        let mut value = String::new();
        json::string(&mut value, text);
        put(out, name, &value);
    }
    if !labels.is_empty() {
        let mut table = String::from("{");
        for (name, value) in labels {
            table.push_str(if table.len() == 1 { "" } else { "," });
            json::string(&mut table, &name);
            let _ = write!(table, ":{value}");
        }
        table.push('}');
        put(out, group, &table);
    }
}

/// A value as a JSON text.
pub(super) fn as_text(value: &str) -> String {
    if value.starts_with('"') {
        return value.to_owned();
    }
    let mut text = String::new();
    json::string(&mut text, value);
    text
}

fn ecs<'a>(name: &'a str, value: &str) -> Place<'a> {
    Place::As(match name {
        "timestamp" => "@timestamp",
        "level" => "log.level",
        "logger" => "log.logger",
        "message" => "message",
        "function" => "log.origin.function",
        "file" => "log.origin.file.name",
        "line" => "log.origin.file.line",
        "thread" => "process.thread.name",
        "trace_id" => "trace.id",
        "span_id" => "span.id",
        "user_id" => return Place::With("user.id", as_text(value)),
        "request_id" => return Place::With("http.request.id", as_text(value)),
        "error" => return Place::With("error.message", as_text(value)),
        "error_id" => return Place::With("error.id", as_text(value)),
        "backtrace" => return Place::With("error.stack_trace", as_text(value)),
        _ => return Place::Label,
    })
}

/// Takes out where a line stands in the code, as a member whose value is a table.
fn take_source(members: &mut Vec<Member<'_>>) -> String {
    let mut source = String::new();
    let mut seen: Vec<&str> = Vec::new();
    members.retain(|(name, value)| {
        let known = ["file", "line", "function"].into_iter().find(|known| known == name);
        let Some(name) = known.filter(|known| !seen.contains(known)) else { return true };
        source.push_str(if seen.is_empty() { "{" } else { "," });
        seen.push(name);
        // A number of 64 bits is a text in the JSON of protobuf.
        let _ = write!(source, "\"{name}\":{}", as_text(value));
        false
    });
    if seen.is_empty() {
        return source;
    }
    format!(",\"logging.googleapis.com/sourceLocation\":{source}}}")
}

fn google_cloud<'a>(name: &'a str, value: &str) -> Place<'a> {
    Place::As(match name {
        "timestamp" => "time",
        "level" => {
            let severity = match value {
                "\"ERROR\"" => "\"ERROR\"",
                "\"WARN\"" => "\"WARNING\"",
                "\"INFO\"" => "\"INFO\"",
                _ => "\"DEBUG\"",
            };
            return Place::With("severity", severity.into());
        }
        "trace_id" => "logging.googleapis.com/trace",
        "span_id" => "logging.googleapis.com/spanId",
        "backtrace" => "stack_trace",
        // What they read themselves is not ours to say by accident.
        "severity" | "time" | "httpRequest" | "timestampSeconds" | "timestampNanos"
        | "stack_trace" => return Place::Label,
        _ if name.starts_with("logging.googleapis.com/") => return Place::Label,
        _ => name,
    })
}

fn datadog<'a>(name: &'a str, value: &str) -> Place<'a> {
    Place::As(match name {
        "level" => {
            let text = json::text_of(value);
            let status = if text == "TRACE" { "debug".into() } else { text.to_lowercase() };
            return Place::With("status", format!("\"{status}\""));
        }
        "logger" => "logger.name",
        "function" => "logger.method_name",
        "thread" => "logger.thread_name",
        "trace_id" => "dd.trace_id",
        "span_id" => {
            let id = u64::from_str_radix(&json::text_of(value), 16).unwrap_or_default();
            return Place::With("dd.span_id", format!("\"{id}\""));
        }
        "user_id" => "usr.id",
        "request_id" => "http.request_id",
        "error" => return Place::With("error.message", as_text(value)),
        "backtrace" => return Place::With("error.stack", as_text(value)),
        // What they read themselves is not ours to say by accident.
        "status" | "service" | "host" | "device" | "version" | "source" | "ddsource" | "ddtags"
        | "date" => return Place::Label,
        _ => name,
    })
}
