/// What stands in front of a name that the line needs for itself.
const PREFIX: &str = "field.";

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

/// Whether a name belongs to the line itself.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Whether a name is one of those that a scope gives to its own texts.
pub(crate) fn is_own(name: &str) -> bool {
    const SCOPE: [&str; 6] =
        ["correlation_id", "request_id", "agent_id", "task_id", "workflow_id", "user_id"];
    SCOPE.contains(&name)
}

/// A field's name as it stands on the line.
///
/// One that the line itself uses gets `field.` in front, and so does one that looks like that
/// already: what a name becomes depends on nothing but itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Name<'n> {
    /// One of 128 bits that the name has in common with few others: a quick "not among these".
    pub(crate) bit: u128,
    prefixes: usize,
    base: &'n str,
}

impl<'n> Name<'n> {
    pub(crate) fn new(name: &'n str) -> Self {
        let (mut base, mut prefixes) = (name, 0);
        while let Some(rest) = base.strip_prefix(PREFIX) {
            (base, prefixes) = (rest, prefixes + 1);
        }
        prefixes += usize::from(is_reserved(base));
        let bytes = base.as_bytes();
        let byte = |at: usize| u64::from(bytes.get(at).copied().unwrap_or_default());
        let ends = byte(0) << 24 | byte(bytes.len() / 2) << 16 | byte(bytes.len().wrapping_sub(1));
        let mix = (ends ^ (bytes.len() as u64) << 8).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Self { bit: 1 << (mix >> 57), prefixes, base }
    }

    /// The name that the second of two fields gets.
    pub(crate) fn repeated(self) -> Self {
        Self { prefixes: self.prefixes + 1, ..self }
    }

    /// Appends `,"name":`.
    pub(crate) fn write(self, out: &mut String) {
        out.push_str(",\"");
        for _ in 0..self.prefixes {
            out.push_str(PREFIX);
        }
        crate::json::escaped(out, self.base);
        out.push_str("\":");
    }

    /// The name without what was put in front.
    pub(crate) fn base(self) -> &'n str {
        self.base
    }
}
