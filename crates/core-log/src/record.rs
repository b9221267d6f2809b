use std::borrow::Cow;
use std::thread;

use core_types::{Scope, Timestamp};

use crate::fields::Fields;
use crate::json;
use crate::line::Line;
use crate::mask::Rules;

/// A line made by hand, for what an event of `tracing` cannot say: lists and tables as values, and
/// lines that are written at every level.
///
/// ```
/// # use core_log::Record;
/// let record = Record::new(tracing::Level::INFO, "my_app", "stopped")
///     .with_text("outcome", "clean")
///     .with_json("steps", r#"[{"name":"drain"}]"#);
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) time: Timestamp,
    pub(crate) level: tracing::Level,
    pub(crate) target: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) module: Option<Cow<'static, str>>,
    pub(crate) function: Option<&'static str>,
    pub(crate) file: Option<Cow<'static, str>>,
    pub(crate) line: Option<u32>,
    pub(crate) thread: String,
    pub(crate) scope: Option<Scope>,
    pub(crate) spans: Vec<Fields>,
    pub(crate) fields: Fields,
}

impl Record {
    /// Begins a line, at this moment, on this thread, in the current scope.
    #[must_use]
    pub fn new(
        level: tracing::Level,
        target: impl Into<Cow<'static, str>>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            time: Timestamp::now(),
            level,
            target: target.into(),
            message: message.into(),
            module: None,
            function: None,
            file: None,
            line: None,
            thread: thread_name(&thread::current()),
            scope: Scope::current(),
            spans: Vec::new(),
            fields: Fields::default(),
        }
    }

    /// Adds a text.
    #[must_use]
    pub fn with_text(mut self, name: impl Into<Cow<'static, str>>, text: &str) -> Self {
        self.fields.push(name, |out| json::string(out, text));
        self
    }

    /// Adds a whole number.
    #[must_use]
    pub fn with_number(mut self, name: impl Into<Cow<'static, str>>, number: u64) -> Self {
        self.fields.push(name, |out| json::integer(out, number));
        self
    }

    /// Adds a value that is JSON already. It is written as it is: it must be valid, on one line.
    #[must_use]
    pub fn with_json(mut self, name: impl Into<Cow<'static, str>>, json: &str) -> Self {
        self.fields.push(name, |out| out.push_str(json));
        self
    }

    pub(crate) fn push_text(&mut self, name: &'static str, text: &str, rules: &Rules) {
        self.fields.push_text(name, text, rules);
    }

    pub(crate) fn with_line<R>(&self, format: impl FnOnce(&Line<'_>) -> R) -> R {
        let spans: Vec<&Fields> = self.spans.iter().collect();
        format(&Line {
            time: self.time,
            level: self.level,
            target: &self.target,
            message: &self.message,
            module: self.module.as_deref(),
            function: self.function,
            file: self.file.as_deref(),
            number: self.line,
            thread: &self.thread,
            scope: self.scope.as_ref(),
            spans: &spans,
            fields: &self.fields,
        })
    }
}

/// A thread's name, or its number.
pub(crate) fn thread_name(thread: &thread::Thread) -> String {
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}
