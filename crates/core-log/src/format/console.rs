use std::fmt::Write as _;

use crate::json;

/// What a person does not need to see on every line of a terminal.
const QUIET: [&str; 9] = [
    "module",
    "function",
    "file",
    "line",
    "thread",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
];
/// Lists and tables that are longer would push the rest of the line off a terminal: they are told in JSON.
const LONGEST_NESTED: usize = 60;
const DIM: &str = "\u{1b}[2m";
const BOLD: &str = "\u{1b}[1m";

struct Paint {
    color: bool,
}

impl Paint {
    fn paint(&self, out: &mut String, code: &str, text: &str) {
        if self.color && !code.is_empty() {
            let _ = write!(out, "{code}{text}\u{1b}[0m");
        } else {
            out.push_str(text);
        }
    }
}

/// `14:30:45.123  INFO mira::app  Processing message  message_type=generate_plan`
pub(super) fn write(out: &mut String, line: &str, color: bool) {
    let paint = Paint { color };
    let mut separator = "  ";
    let mut level_code = "";
    let mut backtrace = None;
    let mut correlation = None;
    for (name, value) in json::members(line) {
        let text = json::text_of(value);
        match name {
            // The day is on the wall, the microseconds are in the file.
            "timestamp" => paint.paint(out, DIM, text.get(11..23).unwrap_or(&text)),
            "level" => {
                level_code = color_of(&text);
                out.push(' ');
                paint.paint(out, level_code, &format!("{text:>5}"));
                out.push(' ');
            }
            "logger" => {
                paint.paint(out, DIM, &printable(&text));
                out.push_str("  ");
            }
            "message" => {
                let is_urgent = matches!(level_code, ERROR | WARN);
                paint.paint(out, if is_urgent { BOLD } else { "" }, &printable(&text));
            }
            "backtrace" => backtrace = Some(text),
            "correlation_id" => correlation = Some(text),
            _ if QUIET.contains(&name) => {}
            _ => {
                out.push_str(std::mem::replace(&mut separator, " "));
                paint.paint(out, DIM, &format!("{}=", printable(&json::unescape(name))));
                let is_bare = value.starts_with('"')
                    && !text.is_empty()
                    && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
                // A text keeps its quotes where a person could not see its end without them.
                match value.as_bytes() {
                    [b'[', ..] if value.len() > LONGEST_NESTED => out.push_str("[…]"),
                    [b'{', ..] if value.len() > LONGEST_NESTED => out.push_str("{…}"),
                    _ => out.push_str(&printable(if is_bare { &text } else { value })),
                }
            }
        }
    }
    // It is half a narrow line, and the least that a person reads: after what differs.
    if let Some(id) = correlation {
        out.push_str(separator);
        paint.paint(out, DIM, &format!("correlation_id={}", printable(&id)));
    }
    out.push('\n');
    // As one line nobody could read it.
    for frame in backtrace.iter().flat_map(|backtrace| backtrace.lines()) {
        paint.paint(out, DIM, &printable(frame));
        out.push('\n');
    }
}

const ERROR: &str = "\u{1b}[1;31m";
const WARN: &str = "\u{1b}[33m";

fn color_of(level: &str) -> &'static str {
    match level {
        "ERROR" => ERROR,
        "WARN" => WARN,
        "INFO" => "\u{1b}[32m",
        "DEBUG" => "\u{1b}[34m",
        _ => "\u{1b}[35m",
    }
}

/// A text that cannot move the cursor or colour the terminal.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for part in text.chars() {
        if part.is_control() {
            let _ = write!(printable, "{}", part.escape_default());
        } else {
            printable.push(part);
        }
    }
    printable
}
