use std::fmt::Write as _;

use super::schema::{Member, as_text};
use crate::json;

/// Appends a line as OTLP has it, but the closing brace. Its scope is the logger.
pub(super) fn write(out: &mut String, members: &[Member<'_>], service: &(String, String)) {
    let find = |wanted: &str| {
        let found = members.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| json::text_of(value))
    };
    let mut resource = String::new();
    for (name, value) in [("service.name", &service.0), ("service.version", &service.1)] {
        if !value.is_empty() {
            let mut text = String::new();
            json::string(&mut text, value);
            attribute(&mut resource, name, &text);
        }
    }
    let _ = write!(out, r#"{{"resourceLogs":[{{"resource":{{"attributes":[{resource}]}},"#);
    out.push_str(r#""scopeLogs":[{"scope":{"name":"#);
    json::string(out, &find("logger").unwrap_or_default());
    out.push_str(r#"},"logRecords":[{"timeUnixNano":""#);
    json::integer(out, find("timestamp").and_then(|time| nanoseconds(&time)).unwrap_or_default());
    let level = find("level").unwrap_or_default();
    let number = match level.as_ref() {
        "TRACE" => 1,
        "DEBUG" => 5,
        "INFO" => 9,
        "WARN" => 13,
        _ => 17,
    };
    let _ = write!(out, r#"","severityNumber":{number},"severityText":"{level}","#);
    out.push_str(r#""body":{"stringValue":"#);
    json::string(out, &find("message").unwrap_or_default());
    out.push('}');
    for (name, member) in [("traceId", "trace_id"), ("spanId", "span_id")] {
        if let Some(id) = find(member) {
            let _ = write!(out, r#","{name}":"{id}""#);
        }
    }
    let mut attributes = String::new();
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in members {
        let name = match name.as_ref() {
            "timestamp" | "level" | "logger" | "message" | "trace_id" | "span_id" => continue,
            "function" => "code.function.name",
            "file" => "code.file.path",
            "line" => "code.line.number",
            "thread" => "thread.name",
            "user_id" => "user.id",
            "error" => "exception.message",
            "backtrace" => "exception.stacktrace",
            name => name,
        };
        // Of two that are the same the one that the line itself says comes first.
        if names.contains(&name) {
            attribute(&mut attributes, &format!("field.{name}"), value);
        } else {
            attribute(&mut attributes, name, value);
            names.push(name);
        }
    }
    let _ = write!(out, r#","attributes":[{attributes}]}}]}}]}}]"#);
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push_str(if out.is_empty() { r#"{"key":"# } else { r#",{"key":"# });
    json::string(out, name);
    out.push_str(r#","value":{"#);
    let _ = if matches!(value, "true" | "false") {
        write!(out, r#""boolValue":{value}"#)
    } else if value.parse::<i64>().is_ok() {
        // By the rules of protobuf's JSON, for a reader might round it.
        write!(out, r#""intValue":"{value}""#)
    } else if value.parse::<f64>().is_ok() {
        write!(out, r#""doubleValue":{value}"#)
    } else {
        write!(out, r#""stringValue":{}"#, as_text(value))
    };
    out.push_str("}}");
}

/// The nanoseconds since 1970 of a moment as lines have it: `2026-01-15T10:30:45.123456Z`.
fn nanoseconds(time: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| time.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // Years that begin in March end with the day that there is not always.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day;
    let days = days.checked_sub(719_469)?;
    let seconds = (days * 24 + number(11..13)?) * 3600 + number(14..16)? * 60 + number(17..19)?;
    Some(seconds * 1_000_000_000 + number(20..26)? * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted() {
        for (time, expected) in [
            ("1970-01-01T00:00:00.000000Z", 0),
            ("1970-03-01T00:00:00.000001Z", 59 * 86_400_000_000_000 + 1000),
            ("2000-02-29T23:59:59.999999Z", 951_868_799_999_999_000),
            ("2026-11-21T21:00:00.000000Z", 1_795_294_800_000_000_000),
        ] {
            assert_eq!(nanoseconds(time), Some(expected), "{time}");
        }
    }
}
