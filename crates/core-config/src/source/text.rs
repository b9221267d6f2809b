//! A text becomes a value by what the settings type expects: it is never guessed.

use serde_json::Value;

use crate::schema::View;

/// Reads the text of a variable or flag as the type at its place wants it.
///
/// # Errors
/// What was expected, without what was found.
pub(crate) fn typed(text: &str, view: &View<'_>) -> Result<Value, String> {
    // Where a text is welcome it stays one: `007` is not a number, `TRUE` is not a boolean.
    if view.allows("string") {
        return Ok(text.into());
    }
    let trimmed = text.trim();
    if trimmed.is_empty() && view.allows("null") {
        return Ok(Value::Null);
    }
    let found = None
        .or_else(|| boolean(trimmed).filter(|_| view.allows("boolean")))
        .or_else(|| integer(trimmed).filter(|_| view.allows("integer") || view.allows("number")))
        .or_else(|| float(trimmed).filter(|_| view.allows("number")))
        .or_else(|| table(trimmed).filter(|_| view.allows("object")));
    match found {
        Some(value) => Ok(value),
        None if view.allows("array") => list(trimmed, view),
        None => Err(format!("expected {}", view.expected())),
    }
}

fn boolean(text: &str) -> Option<Value> {
    text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from)
}

fn integer(text: &str) -> Option<Value> {
    let signed = text.parse::<i64>().map(Value::from);
    signed.or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

fn float(text: &str) -> Option<Value> {
    let number = text.parse::<f64>().ok()?;
    serde_json::Number::from_f64(number).map(Value::from)
}

fn table(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

/// A list is JSON if it begins with a bracket, else texts divided by commas.
fn list(text: &str, view: &View<'_>) -> Result<Value, String> {
    if text.starts_with('[') {
        let list = serde_json::from_str(text).ok().filter(Value::is_array);
        return list.ok_or_else(|| "expected a list as JSON, such as `[1, 2]`".into());
    }
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let item = |text: &str| match view.items() {
        Some(items) => typed(text.trim(), &items),
        None => Ok(Value::from(text.trim())),
    };
    text.split(',').map(item).collect()
}
