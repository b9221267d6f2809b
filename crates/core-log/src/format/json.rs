use std::fmt::Write as _;

use crate::json;
use crate::line::{Line, Value};

pub(super) fn write(out: &mut String, line: &Line<'_>) {
    // The time is digits and signs, and needs no escape.
    let _ = write!(out, "{{\"timestamp\":\"{}\",\"level\":\"{}\"", line.time, line.level);
    member(out, "logger", line.target);
    member(out, "message", line.message);
    optional(out, "module", line.module);
    optional(out, "function", line.function);
    optional(out, "file", line.file);
    if let Some(number) = line.number {
        out.push_str(",\"line\":");
        json::integer(out, number);
    }
    member(out, "thread", line.thread);
    line.each_field(&mut |name, value| {
        out.push(',');
        json::string(out, name);
        out.push(':');
        match value {
            Value::Text(text) => json::string(out, text),
            Value::Json(rendered) => out.push_str(rendered),
        }
    });
    out.push_str("}\n");
}

fn member(out: &mut String, name: &str, text: &str) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    json::string(out, text);
}

fn optional(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        member(out, name, text);
    }
}
