use std::fmt::Write as _;

use tracing::Level;

use crate::json;
use crate::line::{Line, Value};

/// What a person does not need to see on every line of a terminal.
const QUIET: [&str; 4] = ["trace_id", "span_id", "parent_span_id", "request_id"];

struct Paint {
    color: bool,
}

impl Paint {
    const DIM: &'static str = "\u{1b}[2m";
    const BOLD: &'static str = "\u{1b}[1m";

    fn paint(&self, out: &mut String, code: &str, text: &str) {
        if self.color {
            let _ = write!(out, "{code}{text}\u{1b}[0m");
        } else {
            out.push_str(text);
        }
    }
}

/// `14:30:45.123  INFO mira::app  Processing message  message_type=generate_plan`
pub(super) fn write(out: &mut String, line: &Line<'_>, color: bool) {
    let paint = Paint { color };
    let time = line.time.to_string();
    // The day is on the wall, the microseconds are in the file.
    paint.paint(out, Paint::DIM, time.get(11..23).unwrap_or(&time));
    out.push(' ');
    paint.paint(out, color_of(line.level), &format!("{:>5}", line.level.as_str()));
    out.push(' ');
    paint.paint(out, Paint::DIM, line.target);
    out.push_str("  ");
    let mut message = String::new();
    printable(&mut message, line.message);
    if line.level <= Level::WARN {
        paint.paint(out, Paint::BOLD, &message);
    } else {
        out.push_str(&message);
    }
    let mut separator = "  ";
    line.each_field(&mut |name, value| {
        if QUIET.contains(&name) {
            return;
        }
        out.push_str(separator);
        separator = " ";
        paint.paint(out, Paint::DIM, &format!("{name}="));
        match value {
            Value::Text(text) => bare(out, text),
            Value::Json(rendered) => match quoted(rendered) {
                Some(text) => bare(out, text),
                None => out.push_str(rendered),
            },
        }
    });
    out.push('\n');
}

fn color_of(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[1;31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

/// The inside of a rendered text that holds no escapes.
fn quoted(rendered: &str) -> Option<&str> {
    let inside = rendered.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains('\\')).then_some(inside)
}

/// A text without quotes, if a person can still see where it ends.
fn bare(out: &mut String, text: &str) {
    let is_plain = !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"');
    if is_plain { printable(out, text) } else { json::string(out, text) }
}

/// A text that cannot move the cursor or colour the terminal.
fn printable(out: &mut String, text: &str) {
    if text.contains(|c: char| c.is_control()) {
        for part in text.chars() {
            if part.is_control() {
                let _ = write!(out, "{}", part.escape_default());
            } else {
                out.push(part);
            }
        }
    } else {
        out.push_str(text);
    }
}
