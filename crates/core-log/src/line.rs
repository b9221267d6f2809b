use std::cell::RefCell;
use std::thread;
use std::time::SystemTime;

use core_types::{Scope, Timestamp};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::fields::Fields;
use crate::json;
use crate::mask::{Rules, redacted};
use crate::name::{Name, is_own};
use crate::site::Site;

/// Begins a line, up to the name of its thread. The message is rendered already.
pub(crate) fn write_head(
    out: &mut String,
    site: &Site,
    time: SystemTime,
    message: &str,
    function: Option<&str>,
) {
    out.push_str("{\"timestamp\":\"");
    write_time(out, time);
    out.push_str(&site.head);
    out.push_str(if message.is_empty() { "\"\"" } else { message });
    out.push_str(&site.module);
    if let Some(function) = function {
        out.push_str(",\"function\":");
        json::string(out, function);
    }
    out.push_str(&site.place);
}

/// Appends a moment. All of it but the microseconds is the same for a whole second.
fn write_time(out: &mut String, time: SystemTime) {
    /// The length of `2026-01-15T10:30:45.`.
    const WHOLE: usize = 20;
    thread_local! {
        static SECOND: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
    }
    let whole = || Timestamp::from(time).to_string().get(..WHOLE).unwrap_or_default().to_owned();
    // A clock before 1970 is a broken clock, and no reason to lose the line.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let known = SECOND.try_with(|known| {
        let (second, text) = &mut *known.borrow_mut();
        if *second != since.as_secs() || text.is_empty() {
            (*second, *text) = (since.as_secs(), whole());
        }
        out.push_str(text);
    });
    known.unwrap_or_else(|_| out.push_str(&whole()));
    // With a one in front the rest is six digits.
    out.push_str(&itoa::Buffer::new().format(1_000_000 + since.subsec_micros())[1..]);
    out.push('Z');
}

/// A thread's name, or its number.
pub(crate) fn thread_name(thread: &thread::Thread) -> String {
    thread.name().map_or_else(|| format!("{:?}", thread.id()), str::to_owned)
}

/// Appends the name of this thread.
pub(crate) fn write_thread(out: &mut String) {
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

    fn bits(&self) -> u128 {
        self.fields.bits() | self.next.map_or(0, Self::bits)
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
        return Scope::with_current(|scope| write_current(out, rules, scope, nearer));
    };
    let extensions = span.extensions();
    let Some(SpanFields { fields, generation }) = extensions.get() else {
        return write_spans(out, rules, span.parent(), nearer);
    };
    write_spans(out, rules, span.parent(), &Nearer { fields, next: Some(nearer) });
    let is_stale = *generation != rules.generation;
    if !is_stale && fields.bits() & nearer.bits() == 0 {
        return out.push_str(fields.text());
    }
    for (name, text) in fields.iter().filter(|(name, _)| !nearer.contains(*name)) {
        if is_stale && rules.masks(name.base()) {
            name.write(out);
            redacted(out);
        } else {
            out.push_str(text);
        }
    }
}

/// Appends what the current scope carries: rendered once for many lines, unless one of its names may
/// stand nearer.
fn write_current(out: &mut String, rules: &Rules, scope: Option<&Scope>, nearer: &Nearer<'_>) {
    struct Rendered {
        scope: Scope,
        generation: u64,
        text: String,
        bits: u128,
    }
    thread_local! {
        static RENDERED: RefCell<Option<Rendered>> = const { RefCell::new(None) };
    }
    let Some(scope) = scope else { return };
    let write = |known: &RefCell<Option<Rendered>>| {
        let mut known = known.borrow_mut();
        let is_known =
            |known: &Rendered| known.scope.is_same(scope) && known.generation == rules.generation;
        let known = match &mut *known {
            Some(known) if is_known(known) => known,
            known => {
                let mut text = known.take().map(|known| known.text).unwrap_or_default();
                text.clear();
                let bits = write_scope(&mut text, rules, scope, &Nearer::new(&Fields::default()));
                let generation = rules.generation;
                known.insert(Rendered { scope: scope.clone(), generation, text, bits })
            }
        };
        let is_nearer = |(member, _): (&str, &str)| nearer.contains(Name::new(member));
        let is_apart = known.bits & nearer.bits() == 0 || !scope.members().any(is_nearer);
        if is_apart {
            out.push_str(&known.text);
        }
        is_apart
    };
    if !RENDERED.try_with(write).unwrap_or_default() {
        write_scope(out, rules, scope, nearer);
    }
}

/// Appends what a scope carries; the bits of its names.
pub(crate) fn write_scope(
    out: &mut String,
    rules: &Rules,
    scope: &Scope,
    nearer: &Nearer<'_>,
) -> u128 {
    let mut bits = 0;
    for (index, (member, value)) in scope.members().enumerate() {
        let name = Name::new(member);
        let is_earlier = || scope.members().take(index).any(|(earlier, _)| earlier == member);
        let is_repeated = bits & name.bit != 0 && is_earlier();
        if is_repeated || nearer.contains(name) {
            continue;
        }
        bits |= name.bit;
        name.write(out);
        let is_masked = if is_own(member) { rules.is_listed(member) } else { rules.masks(member) };
        if is_masked { redacted(out) } else { rules.text(out, value) }
    }
    if let Some(trace) = scope.trace() {
        let mut id = |member: &str, id: &dyn std::fmt::Display| {
            out.push_str(member);
            rules.display(out, format_args!("{id}"));
        };
        id(",\"trace_id\":", &trace.trace_id());
        id(",\"span_id\":", &trace.span_id());
        if let Some(parent) = trace.parent_span_id() {
            id(",\"parent_span_id\":", &parent);
        }
    }
    bits
}
