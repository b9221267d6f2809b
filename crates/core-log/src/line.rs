use std::cell::RefCell;
use std::fmt::Write as _;
use std::thread;
use std::time::SystemTime;

use core_types::{Scope, Timestamp};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::fields::Fields;
use crate::json;
use crate::mask::{Rules, redacted};
use crate::name::{Name, is_own};
use crate::place::{Place, write_ids};
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
    let write_whole = |out: &mut String| {
        let start = out.len();
        let _ = write!(out, "{}", Timestamp::from(time));
        out.truncate(start + WHOLE);
    };
    // A clock before 1970 is a broken clock, and no reason to lose the line.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let known = SECOND.try_with(|known| {
        let (second, text) = &mut *known.borrow_mut();
        if *second != since.as_secs() || text.is_empty() {
            *second = since.as_secs();
            text.clear();
            write_whole(text);
        }
        out.push_str(text);
    });
    known.unwrap_or_else(|_| write_whole(out));
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

/// What is kept with a span.
pub(crate) struct SpanData {
    /// Its fields, rendered.
    pub(crate) fields: Fields<'static>,
    /// The rules that they were rendered under.
    pub(crate) generation: u64,
    pub(crate) place: Place,
    /// Of a span that is to be exported.
    #[cfg(feature = "otlp")]
    pub(crate) mark: Option<crate::otlp::Mark>,
}

/// What is around an event, beside spans.
pub(crate) struct Around<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) scope: Option<&'a Scope>,
    /// The ids of the innermost span, if they are nearer than the scope's.
    pub(crate) ids: Option<&'a str>,
}

impl Around<'_> {
    /// Appends the fields of the current scope, the ids of the trace, the fields of all spans from
    /// the outermost, and an event's: each name once, the nearest wins.
    pub(crate) fn write<S: for<'s> LookupSpan<'s>>(
        &self,
        out: &mut String,
        innermost: Option<(&SpanRef<'_, S>, &SpanData)>,
        fields: &Fields<'_>,
    ) {
        let nearer = Nearer::new(fields);
        match innermost {
            Some((span, data)) => self.write_span(out, span, data, &nearer),
            None => self.write_scope(out, &nearer),
        }
        out.push_str(fields.text());
    }

    fn write_span<S: for<'s> LookupSpan<'s>>(
        &self,
        out: &mut String,
        span: &SpanRef<'_, S>,
        data: &SpanData,
        nearer: &Nearer<'_>,
    ) {
        let SpanData { fields, generation, .. } = data;
        self.write_above(out, span.parent(), &Nearer { fields, next: Some(nearer) });
        let is_stale = *generation != self.rules.generation;
        if !is_stale && fields.bits() & nearer.bits() == 0 {
            return out.push_str(fields.text());
        }
        for (name, text) in fields.iter().filter(|(name, _)| !nearer.contains(*name)) {
            if is_stale && self.rules.masks(name.base()) {
                name.write(out);
                redacted(out);
            } else {
                out.push_str(text);
            }
        }
    }

    fn write_above<S: for<'s> LookupSpan<'s>>(
        &self,
        out: &mut String,
        span: Option<SpanRef<'_, S>>,
        nearer: &Nearer<'_>,
    ) {
        let Some(span) = span else { return self.write_scope(out, nearer) };
        match span.extensions().get() {
            Some(data) => self.write_span(out, &span, data, nearer),
            None => self.write_above(out, span.parent(), nearer),
        }
    }

    /// Appends what the current scope carries and the ids of the trace: rendered once for many
    /// lines, unless one of the scope's names may stand nearer.
    fn write_scope(&self, out: &mut String, nearer: &Nearer<'_>) {
        struct Rendered {
            scope: Scope,
            generation: u64,
            text: String,
            bits: u128,
            ids: String,
        }
        thread_local! {
            static RENDERED: RefCell<Option<Rendered>> = const { RefCell::new(None) };
        }
        let Some(scope) = self.scope else {
            return out.push_str(self.ids.unwrap_or_default());
        };
        let rules = self.rules;
        let write = |known: &RefCell<Option<Rendered>>| {
            let mut known = known.borrow_mut();
            let is_known = |known: &Rendered| {
                known.scope.is_same(scope) && known.generation == rules.generation
            };
            let known = match &mut *known {
                Some(known) if is_known(known) => known,
                known => {
                    let before = known.take().map(|known| (known.text, known.ids));
                    let (mut text, mut ids) = before.unwrap_or_default();
                    text.clear();
                    ids.clear();
                    let nothing = Fields::default();
                    let bits = write_members(&mut text, rules, scope, &Nearer::new(&nothing));
                    if let Some(trace) = scope.trace() {
                        write_ids(&mut ids, trace);
                    }
                    let (scope, generation) = (scope.clone(), rules.generation);
                    known.insert(Rendered { scope, generation, text, bits, ids })
                }
            };
            let is_nearer = |(member, _): (&str, &str)| nearer.contains(Name::new(member));
            let is_apart = known.bits & nearer.bits() == 0 || !scope.members().any(is_nearer);
            if is_apart {
                out.push_str(&known.text);
                out.push_str(self.ids.unwrap_or(&known.ids));
            }
            is_apart
        };
        if RENDERED.try_with(write).unwrap_or_default() {
            return;
        }
        write_members(out, rules, scope, nearer);
        match (self.ids, scope.trace()) {
            (Some(ids), _) => out.push_str(ids),
            (None, Some(trace)) => write_ids(out, trace),
            (None, None) => {}
        }
    }
}

/// Appends the texts of a scope; the bits of their names.
pub(crate) fn write_members(
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
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// LOG-11: nor is anything allocated where one second ends and another begins.
    #[test]
    fn the_time_of_another_second_allocates_nothing() {
        let mut out = String::with_capacity(100);
        let mut write = |seconds| {
            out.clear();
            write_time(&mut out, SystemTime::UNIX_EPOCH + Duration::new(seconds, 7_000));
            out.ends_with(".000007Z")
        };
        assert!(write(1));
        let allocated = allocation_counter::measure(|| assert!((2..9).all(&mut write)));
        assert_eq!(allocated.count_total, 0, "{allocated:?}");
        assert_eq!(out, "1970-01-01T00:00:08.000007Z");
    }
}
