//! Writing JSON: texts by whole runs, numbers without a detour.

/// Appends a text as a JSON string, quotes included.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// Appends the inside of a JSON string. What needs no escape is copied in whole runs.
pub(crate) fn escaped(out: &mut String, text: &str) {
    let mut start = 0;
    for (index, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..0x20 | 0x7f => "",
            _ => continue,
        };
        out.push_str(&text[start..index]);
        out.push_str(escape);
        if escape.is_empty() {
            const HEX: &[u8; 16] = b"0123456789abcdef";
            out.push_str("\\u00");
            out.push(HEX[usize::from(byte >> 4)] as char);
            out.push(HEX[usize::from(byte & 0xf)] as char);
        }
        start = index + 1;
    }
    out.push_str(&text[start..]);
}

/// Appends a number that JSON knows; what it does not, as a text.
pub(crate) fn float(out: &mut String, number: f64) {
    if number.is_finite() {
        out.push_str(ryu::Buffer::new().format_finite(number));
    } else if number.is_nan() {
        out.push_str("\"NaN\"");
    } else {
        out.push_str(if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    }
}

/// Appends a whole number.
pub(crate) fn integer(out: &mut String, number: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends a whole number that may exceed 64 bits; then as a text, for most readers would round it.
pub(crate) fn wide(out: &mut String, number: impl itoa::Integer, fits: bool) {
    if fits {
        integer(out, number);
    } else {
        out.push('"');
        integer(out, number);
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// LOG-1: any text survives, on one line.
        #[test]
        fn any_text_survives(text: String) {
            let mut out = String::new();
            string(&mut out, &text);
            prop_assert!(!out.contains(['\n', '\r']));
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }

        #[test]
        fn any_number_is_valid(number: f64) {
            let mut out = String::new();
            float(&mut out, number);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{}", out);
            prop_assert!(!number.is_finite() || out.parse() == Ok(number), "{}", out);
        }
    }
}
