use std::borrow::Cow;
use std::thread;
use std::time::SystemTime;

use core_types::{Scope, TraceContext};

use crate::fields::Fields;
use crate::json;
use crate::line::{Nearer, thread_name, write_head, write_members};
use crate::mask::Rules;
use crate::name::Name;
use crate::place::{self, write_ids};
use crate::site::Site;

/// A line made by hand, for what an event of `tracing` cannot say: lists and tables as values, and
/// lines that are written at every level.
///
/// Its fields are masked, scrubbed and cut as all others are.
///
/// ```
/// # use core_log::Record;
/// let record = Record::new(tracing::Level::INFO, "my_app", "stopped")
///     .with_text("outcome", "clean")
///     .with_json("steps", r#"[{"name":"drain"}]"#);
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    time: SystemTime,
    level: tracing::Level,
    target: Cow<'static, str>,
    message: String,
    pub(crate) place: Option<(String, u32)>,
    thread: String,
    scope: Option<Scope>,
    trace: Option<TraceContext>,
    function: Option<&'static str>,
    fields: Vec<(Cow<'static, str>, Value)>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Number(u64),
    Json(String),
}

impl Record {
    /// Begins a line, at this moment, on this thread, in the current scope and span.
    #[must_use]
    pub fn new(
        level: tracing::Level,
        target: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            time: SystemTime::now(),
            level,
            target: target.into(),
            message: message.into(),
            place: None,
            thread: thread_name(&thread::current()),
            scope: Scope::current(),
            trace: TraceContext::current(),
            function: place::function(),
            fields: Vec::new(),
        }
    }

    /// Adds a text.
    #[must_use]
    pub fn with_text(self, name: impl Into<Cow<'static, str>>, text: &str) -> Self {
        self.with(name, Value::Text(text.into()))
    }

    /// Adds a whole number.
    #[must_use]
    pub fn with_number(self, name: impl Into<Cow<'static, str>>, number: u64) -> Self {
        self.with(name, Value::Number(number))
    }

    /// Adds a value that is JSON already. It must be valid, on one line; it is not cut.
    #[must_use]
    pub fn with_json(self, name: impl Into<Cow<'static, str>>, json: &str) -> Self {
        self.with(name, Value::Json(json.into()))
    }

    fn with(mut self, name: impl Into<Cow<'static, str>>, value: Value) -> Self {
        self.fields.push((name.into(), value));
        self
    }

    /// Appends the line, not yet masked and scrubbed.
    pub(crate) fn write(&self, out: &mut String, rules: &Rules) {
        let mut fields = Fields::default();
        let mut rendered = String::new();
        for (name, value) in &self.fields {
            let name = Name::new(name);
            rendered.clear();
            name.write(&mut rendered);
            fields.push(name, &rendered, |out| match value {
                Value::Text(text) => rules.text(out, text),
                Value::Number(number) => json::integer(out, *number),
                Value::Json(json) => out.push_str(json),
            });
        }
        let mut message = String::new();
        rules.text(&mut message, &self.message);
        let place = self.place.as_ref();
        let place = (place.map(|(file, _)| file.as_str()), place.map(|(_, line)| *line));
        let site = Site::new(self.level, &self.target, None, place);
        write_head(out, &site, self.time, &message, self.function);
        json::string(out, &self.thread);
        if let Some(scope) = &self.scope {
            write_members(out, rules, scope, &Nearer::new(&fields));
        }
        if let Some(trace) = &self.trace {
            write_ids(out, trace);
        }
        out.push_str(fields.text());
        out.push_str("}\n");
    }
}
