use std::error::Error;
use std::fmt;
use std::ops::Range;

use core_types::Chain;
use tracing::field::{Field, Visit};

use crate::json;
use crate::mask::{Rules, redacted};
use crate::name::Name;
use crate::site::{FieldName, Site};

/// Fields, rendered as they stand on a line: once, however many lines they stand on.
#[derive(Debug, Default)]
pub(crate) struct Fields<'n> {
    /// `,"name":value`, one after the other.
    text: String,
    entries: Vec<Entry<'n>>,
    /// The bits of all names.
    bits: u128,
}

#[derive(Debug)]
struct Entry<'n> {
    name: Name<'n>,
    place: Range<usize>,
}

impl<'n> Fields<'n> {
    /// Room for some fields of the usual length.
    pub(crate) fn with_capacity(count: usize) -> Self {
        /// What most names and values take together.
        const USUAL: usize = 40;
        let (text, entries) = (String::with_capacity(count * USUAL), Vec::with_capacity(count));
        Self { text, entries, bits: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.bits = 0;
    }

    pub(crate) fn contains(&self, name: Name<'_>) -> bool {
        self.bits & name.bit != 0 && self.entries.iter().any(|entry| entry.name == name)
    }

    pub(crate) fn bits(&self) -> u128 {
        self.bits
    }

    /// Every field, whole.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Every field, as the text that it is.
    #[cfg(feature = "otlp")]
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Each name with `,"name":value`, in the order in which they came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Name<'n>, &str)> {
        self.entries.iter().map(|entry| (entry.name, &self.text[entry.place.clone()]))
    }

    /// Adds a field whose name is rendered already. One that is there gets `field.` in front, as
    /// often as it takes.
    pub(crate) fn push(
        &mut self,
        mut name: Name<'n>,
        rendered: &str,
        render: impl FnOnce(&mut String),
    ) {
        let start = self.text.len();
        if self.contains(name) {
            while self.contains(name) {
                name = name.repeated();
            }
            name.write(&mut self.text);
        } else {
            self.text.push_str(rendered);
        }
        render(&mut self.text);
        self.bits |= name.bit;
        self.entries.push(Entry { name, place: start..self.text.len() });
    }

    /// Puts later values in the place of earlier ones.
    pub(crate) fn replace(&mut self, later: &Self) {
        let earlier = std::mem::take(self);
        let kept = earlier.iter().filter(|(name, _)| !later.contains(*name));
        for (name, text) in kept.chain(later.iter()) {
            let start = self.text.len();
            self.text.push_str(text);
            self.bits |= name.bit;
            self.entries.push(Entry { name, place: start..self.text.len() });
        }
    }
}

/// Takes the fields of a span or an event apart.
pub(crate) struct Recorder<'a> {
    pub(crate) fields: &'a mut Fields<'static>,
    /// Where the field `message` goes, rendered; a span has none.
    pub(crate) message: Option<&'a mut String>,
    pub(crate) rules: &'a Rules,
    pub(crate) site: &'a Site,
    /// Whether the `log` bridge made the event: what it says about the place has members of its own.
    pub(crate) is_bridged: bool,
}

impl Recorder<'_> {
    fn record(&mut self, field: &Field, render: impl FnOnce(&mut String, &Rules)) {
        if self.is_bridged && field.name().starts_with("log.") {
            return;
        }
        let FieldName { name, text, is_masked } = self.site.name(field);
        let rules = self.rules;
        self.fields.push(
            *name,
            text,
            |out| {
                if *is_masked { redacted(out) } else { render(out, rules) }
            },
        );
    }

    /// A text: the message, or a field.
    fn record_text(&mut self, field: &Field, render: impl FnOnce(&mut String, &Rules)) {
        match &mut self.message {
            Some(message) if field.name() == "message" => {
                message.clear();
                render(message, self.rules);
            }
            _ => self.record(field, render),
        }
    }
}

impl Visit for Recorder<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, |out, _| json::float(out, value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, |out, _| json::integer(out, value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, |out, _| json::integer(out, value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record(field, |out, _| json::wide(out, value, i64::try_from(value).is_ok()));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record(field, |out, _| json::wide(out, value, u64::try_from(value).is_ok()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, |out, _| out.push_str(if value { "true" } else { "false" }));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_text(field, |out, rules| rules.text(out, value));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.record_str(field, &String::from_utf8_lossy(value));
    }

    /// An error with its causes, each after a colon.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_text(field, |out, rules| rules.display(out, format_args!("{}", Chain(value))));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_text(field, |out, rules| rules.display(out, format_args!("{value:?}")));
    }
}
