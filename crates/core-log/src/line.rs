use std::borrow::Cow;

use core_types::{Scope, Timestamp};

use crate::fields::Fields;

/// Everything that one line says, before it has a form.
pub(crate) struct Line<'a> {
    pub(crate) time: Timestamp,
    pub(crate) level: tracing::Level,
    pub(crate) target: &'a str,
    pub(crate) message: &'a str,
    pub(crate) module: Option<&'a str>,
    /// The innermost instrumented function.
    pub(crate) function: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) number: Option<u32>,
    pub(crate) thread: &'a str,
    pub(crate) scope: Option<&'a Scope>,
    /// The fields of the spans, the innermost first.
    pub(crate) spans: &'a [&'a Fields],
    pub(crate) fields: &'a Fields,
}

impl Line<'_> {
    /// Every field as it goes onto the line, each name once: the scope's, the spans', the event's.
    ///
    /// The nearest wins where the event, a span or the scope say the same name. A name that the
    /// line itself needs, or that the event uses twice, gets `field.` in front, as often as it
    /// takes: the same way every time.
    pub(crate) fn each_field(&self, write: &mut dyn FnMut(&str, Value<'_>)) {
        let mut names = Names(Vec::new());
        let is_nearer = |name: &str, depth: usize| {
            self.fields.contains(name) || self.spans[..depth].iter().any(|span| span.contains(name))
        };
        if let Some(scope) = self.scope {
            for (name, value) in scope.members() {
                if !is_nearer(name, self.spans.len()) && !names.0.iter().any(|used| used == name) {
                    write(&names.unique(name), Value::Text(value));
                }
            }
            if let Some(trace) = scope.trace() {
                write("trace_id", Value::Text(&trace.trace_id().to_string()));
                write("span_id", Value::Text(&trace.span_id().to_string()));
                if let Some(parent) = trace.parent_span_id() {
                    write("parent_span_id", Value::Text(&parent.to_string()));
                }
            }
        }
        for (depth, span) in self.spans.iter().enumerate().rev() {
            for (name, value) in span.iter() {
                if !is_nearer(name, depth) {
                    write(&names.unique(name), Value::Json(value));
                }
            }
        }
        for (name, value) in self.fields.iter() {
            write(&names.unique(name), Value::Json(value));
        }
    }
}

/// The names that stand on a line already.
struct Names<'n>(Vec<Cow<'n, str>>);

impl<'n> Names<'n> {
    fn unique(&mut self, name: &'n str) -> Cow<'n, str> {
        let mut name = Cow::Borrowed(name);
        while RESERVED.contains(&&*name) || self.0.contains(&name) {
            name = format!("field.{name}").into();
        }
        self.0.push(name.clone());
        name
    }
}

/// The value of a field.
#[derive(Clone, Copy)]
pub(crate) enum Value<'a> {
    /// A text, not yet rendered.
    Text(&'a str),
    /// Rendered JSON.
    Json(&'a str),
}

/// The names that the line itself uses.
const RESERVED: [&str; 12] = [
    "timestamp",
    "level",
    "logger",
    "message",
    "module",
    "function",
    "file",
    "line",
    "thread",
    "trace_id",
    "span_id",
    "parent_span_id",
];
