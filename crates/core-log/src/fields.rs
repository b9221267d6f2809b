use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;

use core_types::{Chain, REDACTED};
use tracing::field::{Field, Visit};

use crate::json;
use crate::mask::Rules;

/// Names and values, the values rendered as JSON: once, however many lines they stand on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    rendered: String,
    entries: Vec<(Cow<'static, str>, Range<usize>)>,
}

impl Fields {
    /// Every name with its rendered value, in the order in which they came.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&str, &str)> {
        self.entries.iter().map(|(name, range)| (&**name, &self.rendered[range.clone()]))
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|(known, _)| known == name)
    }

    /// Adds a value that `render` appends as JSON.
    pub(crate) fn push(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        render: impl FnOnce(&mut String),
    ) {
        let start = self.rendered.len();
        render(&mut self.rendered);
        self.entries.push((name.into(), start..self.rendered.len()));
    }

    /// Adds a text, cut to what the rules allow.
    pub(crate) fn push_text(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        text: &str,
        rules: &Rules,
    ) {
        let name = name.into();
        if rules.masks(&name) {
            return self.push(name, |out| json::string(out, REDACTED));
        }
        self.push(name, |out| text_of(out, text, rules.max_value));
    }

    /// Replaces the value of a field by a later one of the same name.
    fn forget(&mut self, name: &str) {
        self.entries.retain(|(known, _)| known != name);
    }
}

/// Appends a text as JSON; if it is too long, its beginning and a mark.
fn text_of(out: &mut String, text: &str, max: usize) {
    if text.len() <= max {
        return json::string(out, text);
    }
    out.push('"');
    json::escaped(out, &text[..text.floor_char_boundary(max)]);
    let _ = write!(out, "…[cut, {} bytes in all]\"", text.len());
}

/// Takes the fields of a span or an event apart.
pub(crate) struct Recorder<'a> {
    pub(crate) fields: &'a mut Fields,
    /// Where the field `message` goes; a span has none.
    pub(crate) message: Option<&'a mut String>,
    pub(crate) rules: &'a Rules,
}

impl Recorder<'_> {
    fn record(&mut self, field: &Field, render: impl FnOnce(&mut String)) {
        let name = field.name();
        // What the `log` bridge says about the place has members of its own.
        if name.starts_with("log.") {
            return;
        }
        if self.message.is_none() {
            // A span may record a field later, or again.
            self.fields.forget(name);
        }
        if self.rules.masks(name) {
            self.fields.push(name, |out| json::string(out, REDACTED));
        } else {
            self.fields.push(name, render);
        }
    }

    /// Something that prints itself, as a text.
    fn record_display(&mut self, field: &Field, value: &dyn fmt::Display) {
        let max = self.rules.max_value;
        if field.name() == "message"
            && let Some(message) = &mut self.message
        {
            let mut capped = Capped { text: message, max, length: 0 };
            let _ = write!(capped, "{value}");
            capped.finish();
            return;
        }
        self.record(field, |out| {
            let mut text = String::new();
            let mut capped = Capped { text: &mut text, max, length: 0 };
            let _ = write!(capped, "{value}");
            capped.finish();
            json::string(out, &text);
        });
    }
}

impl Visit for Recorder<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, |out| json::float(out, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, |out| json::integer(out, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, |out| json::integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record(field, |out| json::wide(out, value, i64::try_from(value).is_ok()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record(field, |out| json::wide(out, value, u64::try_from(value).is_ok()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, |out| out.push_str(if value { "true" } else { "false" }));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" && self.message.is_some() {
            return self.record_display(field, &value);
        }
        let max = self.rules.max_value;
        self.record(field, |out| text_of(out, value, max));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.record_str(field, &String::from_utf8_lossy(value));
    }

    /// An error with its causes, each after a colon.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_display(field, &Chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_display(field, &format_args!("{value:?}"));
    }
}

/// Takes as much of a text as is allowed, and counts the rest.
struct Capped<'a> {
    text: &'a mut String,
    max: usize,
    length: usize,
}

impl Capped<'_> {
    fn finish(self) {
        if self.length > self.max {
            let _ = write!(self.text, "…[cut, {} bytes in all]", self.length);
        }
    }
}

impl fmt::Write for Capped<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = self.max.saturating_sub(self.length);
        if room > 0 {
            self.text.push_str(&part[..part.floor_char_boundary(room.min(part.len()))]);
        }
        self.length += part.len();
        Ok(())
    }
}
