use std::cell::{Cell, RefCell};
use std::thread;
use std::time::SystemTime;

use core_types::{Scope, Timestamp};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::fields::Fields;
use crate::json;
use crate::mask::{Rules, redacted};
use crate::name::Name;

/// What every line says of itself.
pub(crate) struct Head<'a> {
    pub(crate) time: SystemTime,
    pub(crate) level: tracing::Level,
    pub(crate) target: &'a str,
    /// Rendered.
    pub(crate) message: &'a str,
    pub(crate) module: Option<&'a str>,
    /// The innermost instrumented function.
    pub(crate) function: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) number: Option<u32>,
    /// The thread, if it is not this one.
    pub(crate) thread: Option<&'a str>,
}

impl Head<'_> {
    /// Begins a line.
    pub(crate) fn write(&self, out: &mut String) {
        out.push_str("{\"timestamp\":\"");
        write_time(out, self.time);
        out.push_str("\",\"level\":\"");
        out.push_str(self.level.as_str());
        out.push_str("\",\"logger\":");
        json::string(out, self.target);
        out.push_str(",\"message\":");
        out.push_str(if self.message.is_empty() { "\"\"" } else { self.message });
        optional(out, ",\"module\":", self.module);
        optional(out, ",\"function\":", self.function);
        optional(out, ",\"file\":", self.file);
        if let Some(number) = self.number {
            out.push_str(",\"line\":");
            json::integer(out, number);
        }
        out.push_str(",\"thread\":");
        match self.thread {
            Some(thread) => json::string(out, thread),
            None => write_thread(out),
        }
    }
}

fn optional(out: &mut String, member: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.push_str(member);
        json::string(out, text);
    }
}

/// Appends a moment. All of it but the microseconds is the same for a whole second.
fn write_time(out: &mut String, time: SystemTime) {
    /// The length of `2026-01-15T10:30:45.`.
    const WHOLE: usize = 20;
    thread_local! {
        static SECOND: Cell<(u64, [u8; WHOLE])> = const { Cell::new((u64::MAX, [0; WHOLE])) };
    }
    // A clock before 1970 is a broken clock, and no reason to lose the line.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let known = SECOND.try_with(Cell::get).ok().filter(|(second, _)| *second == since.as_secs());
    let (_, whole) = known.unwrap_or_else(|| {
        let text = Timestamp::from(time).to_string();
        let whole = text.as_bytes().first_chunk().copied().unwrap_or([b'0'; WHOLE]);
        let _ = SECOND.try_with(|second| second.set((since.as_secs(), whole)));
        (since.as_secs(), whole)
    });
    out.push_str(std::str::from_utf8(&whole).unwrap_or_default());
    let mut rest = since.subsec_micros();
    let digits: [u8; 6] = std::array::from_fn(|place| {
        let unit = 10_u32.pow(5 - u32::try_from(place).unwrap_or(5));
        let digit = rest / unit;
        rest %= unit;
        b'0' + u8::try_from(digit).unwrap_or_default()
    });
    out.push_str(std::str::from_utf8(&digits).unwrap_or_default());
    out.push('Z');
}

/// A thread's name, or its number.
pub(crate) fn thread_name(thread: &thread::Thread) -> String {
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

/// Appends the name of this thread.
fn write_thread(out: &mut String) {
    thread_local! {
        static RENDERED: RefCell<String> = const { RefCell::new(String::new()) };
    }
    let render = |out: &mut String| json::string(out, &thread_name(&thread::current()));
    let known = RENDERED.try_with(|rendered| {
        let mut rendered = rendered.borrow_mut();
        if rendered.is_empty() {
            render(&mut rendered);
        }
        out.push_str(&rendered);
    });
    // The thread is being torn down.
    known.unwrap_or_else(|_| render(out));
}

/// The fields that are nearer to an event than others: its own, and those of inner spans.
pub(crate) struct Nearer<'a> {
    fields: &'a Fields<'a>,
    next: Option<&'a Self>,
}

impl<'a> Nearer<'a> {
    pub(crate) fn new(fields: &'a Fields<'a>) -> Self {
        Self { fields, next: None }
    }

    fn contains(&self, name: Name<'_>) -> bool {
        self.fields.contains(name) || self.next.is_some_and(|next| next.contains(name))
    }
}

/// The rendered fields of a span, kept with it.
pub(crate) struct SpanFields {
    pub(crate) fields: Fields<'static>,
    /// The rules that they were rendered under.
    pub(crate) generation: u64,
}

/// Appends the fields of the current scope, of all spans from the outermost, and an event's: each
/// name once, the nearest wins.
pub(crate) fn write_fields<S: for<'s> LookupSpan<'s>>(
    out: &mut String,
    rules: &Rules,
    innermost: Option<SpanRef<'_, S>>,
    fields: &Fields<'_>,
) {
    write_spans(out, rules, innermost, &Nearer::new(fields));
    out.push_str(fields.text());
}

fn write_spans<S: for<'s> LookupSpan<'s>>(
    out: &mut String,
    rules: &Rules,
    span: Option<SpanRef<'_, S>>,
    nearer: &Nearer<'_>,
) {
    let Some(span) = span else {
        return Scope::with_current(|scope| write_scope(out, rules, scope, nearer));
    };
    let extensions = span.extensions();
    let Some(SpanFields { fields, generation }) = extensions.get() else {
        return write_spans(out, rules, span.parent(), nearer);
    };
    write_spans(out, rules, span.parent(), &Nearer { fields, next: Some(nearer) });
    let is_stale = *generation != rules.generation;
    for (name, text) in fields.iter().filter(|(name, _)| !nearer.contains(*name)) {
        if is_stale && rules.masks(name.base()) {
            name.write(out);
            redacted(out);
        } else {
            out.push_str(text);
        }
    }
}

/// Appends what a scope carries.
pub(crate) fn write_scope(
    out: &mut String,
    rules: &Rules,
    scope: Option<&Scope>,
    nearer: &Nearer<'_>,
) {
    let Some(scope) = scope else { return };
    for (index, (member, value)) in scope.members().enumerate() {
        let name = Name::new(member);
        let is_repeated = || scope.members().take(index).any(|(earlier, _)| earlier == member);
        if nearer.contains(name) || is_repeated() {
            continue;
        }
        name.write(out);
        if rules.masks(member) { redacted(out) } else { rules.text(out, value) }
    }
    if let Some(trace) = scope.trace() {
        let mut id = |member: &str, id: &dyn std::fmt::Display| {
            out.push_str(member);
            rules.display(out, id);
        };
        id(",\"trace_id\":", &trace.trace_id());
        id(",\"span_id\":", &trace.span_id());
        if let Some(parent) = trace.parent_span_id() {
            id(",\"parent_span_id\":", &parent);
        }
    }
}
