//! A text becomes a value by what the settings type expects: it is never guessed.

use serde_json::Value;

use crate::schema::View;

/// Reads the text of a variable or flag as the type at its place wants it.
///
/// # Errors
/// What was expected, without what was found.
pub(crate) fn typed(text: &str, view: &View<'_>) -> Result<Value, String> {
    // A table or list is known by its brackets, if a whole one may stand here.
    if let Some(value) = literal(text.trim()).filter(|value| view.fits(value)) {
        return Ok(value);
    }
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
        .or_else(|| float(trimmed).filter(|_| view.allows("number")));
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

fn literal(text: &str) -> Option<Value> {
    let is_one = text.starts_with(['{', '[']);
    is_one.then(|| serde_json::from_str(text).ok()).flatten()
}

/// A list that is no JSON is texts divided by commas. In brackets, JSON was meant.
fn list(text: &str, view: &View<'_>) -> Result<Value, String> {
    if text.starts_with('[') && text.ends_with(']') {
        return Err("expected a list as JSON, such as `[1, 2]`".into());
    }
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    let item = |(index, text): (usize, &str)| match view.item(index) {
        Some(item) => typed(text.trim(), &item),
        None => Ok(Value::from(text.trim())),
    };
    text.split(',').enumerate().map(item).collect()
}
