//! JSON as lines are made of: written by whole runs, and taken apart again where a value must be
//! looked at once more.

use std::borrow::Cow;

/// Appends a text as a JSON string, quotes included.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    escaped(out, text);
    out.push('"');
}

/// Appends the inside of a JSON string. What needs no escape is copied in whole runs.
pub(crate) fn escaped(out: &mut String, text: &str) {
    let clean = plain(text.as_bytes());
    if clean == text.len() {
        out.push_str(text);
    } else {
        escaped_from(out, text, clean);
    }
}

/// Appends a text whose first byte to be escaped is known.
fn escaped_from(out: &mut String, text: &str, mut at: usize) {
    let bytes = text.as_bytes();
    let mut start = 0;
    loop {
        out.push_str(&text[start..at]);
        let Some(&byte) = bytes.get(at) else { return };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 0xf)] as char);
            }
        }
        start = at + 1;
        at = start + plain(&bytes[start..]);
    }
}

/// How many bytes from the start need no escape.
fn plain(bytes: &[u8]) -> usize {
    let is_clean = |word: &&[u8; 8]| !any_special(u64::from_le_bytes(**word));
    let (words, _) = bytes.as_chunks::<8>();
    let clean = words.iter().take_while(is_clean).count();
    // The last eight overlap, which is quicker than one by one.
    if clean == words.len() && bytes.last_chunk().as_ref().is_some_and(is_clean) {
        return bytes.len();
    }
    let rest = &bytes[clean * 8..];
    clean * 8 + rest.iter().take_while(|byte| !is_special(**byte)).count()
}

/// A terminal would delete on 0x7f, though JSON allows it.
fn is_special(byte: u8) -> bool {
    byte < 0x20 || matches!(byte, b'"' | b'\\' | 0x7f)
}

/// [`is_special`] of eight bytes at once: a byte that is less than another borrows from its highest
/// bit, and one that is equal becomes zero, which is less than one.
fn any_special(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word;
    let equal = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
    let found = less(word, 0x20) | equal(b'"') | equal(b'\\') | equal(0x7f);
    found & (ONES * 0x80) != 0
}

/// Appends a number that JSON knows; what it does not, as a text.
pub(crate) fn float(out: &mut String, number: f64) {
    // Most numbers are some thousandths. No two numbers of up to 15 digits are the same float, so
    // the one that is found is the shortest.
    #[expect(clippy::cast_possible_truncation, reason = "what was cut off is looked for")]
    let thousandths = (number * 1000.0) as i64;
    #[expect(clippy::float_cmp, reason = "the very same number is meant")]
    let is_exact = thousandths as f64 / 1000.0 == number;
    if is_exact && thousandths != 0 && thousandths.unsigned_abs() < 1_000_000_000_000_000 {
        if thousandths < 0 {
            out.push('-');
        }
        integer(out, thousandths.unsigned_abs() / 1000);
        let mut rest = thousandths.unsigned_abs() % 1000;
        out.push('.');
        for unit in [100, 10, 1] {
            out.push(char::from(b'0' + u8::try_from(rest / unit).unwrap_or_default()));
            rest %= unit;
            if rest == 0 {
                break;
            }
        }
    } else if number.is_finite() {
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

/// The text that a JSON value stands for: a string without its quotes, all else as it is.
pub(crate) fn text_of(value: &str) -> Cow<'_, str> {
    let inside = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.map_or(value.into(), unescape)
}

/// The text that stands between the quotes of a JSON string.
pub(crate) fn unescape(inside: &str) -> Cow<'_, str> {
    if !inside.contains('\\') {
        return inside.into();
    }
    let mut text = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let mut letters = escape.chars();
        match letters.next() {
            Some('u') => {
                let (letter, length) = unit(escape);
                text.push(letter);
                rest = escape.get(length..).unwrap_or_default();
                continue;
            }
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some(itself) => text.push(itself),
            None => {}
        }
        rest = letters.as_str();
    }
    text.push_str(rest);
    text.into()
}

/// The letter that `u` and four hexadecimal digits stand for, or two of these with a backslash between,
/// and their length.
fn unit(escape: &str) -> (char, usize) {
    let hex =
        |at: usize| escape.get(at..at + 4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let units = [hex(1), if escape.get(5..7) == Some("\\u") { hex(7) } else { None }];
    let letter = char::decode_utf16(units.into_iter().flatten()).next();
    match letter {
        Some(Ok(letter)) => (letter, if letter.len_utf16() == 2 { 11 } else { 5 }),
        _ => (char::REPLACEMENT_CHARACTER, 5),
    }
}

/// Where the value at the start of a text ends.
pub(crate) fn value_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_scalar = |byte: &u8| !matches!(byte, b',' | b'}' | b']') && !byte.is_ascii_whitespace();
    match bytes.first() {
        Some(b'"') => string_end(text),
        Some(b'{' | b'[') => {
            let (mut at, mut depth) = (0, 0_usize);
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => at += string_end(&text[at..]) - 1,
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                at += 1;
                if depth == 0 {
                    break;
                }
            }
            at
        }
        _ => bytes.iter().take_while(|byte| is_scalar(byte)).count(),
    }
}

/// Where the string at the start of a text ends, its quotes included.
fn string_end(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Names and values of a line, as they stand in it.
pub(crate) fn members(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = line.get(1..).unwrap_or_default();
    std::iter::from_fn(move || {
        let end = rest.starts_with('"').then(|| string_end(rest))?;
        let name = rest.get(1..end - 1)?;
        let after = rest.get(end + 1..)?;
        let (value, after) = after.split_at(value_end(after));
        rest = after.get(1..).unwrap_or_default();
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_others_escape_is_understood() {
        for (inside, text) in [
            (r"\ud83d\ude00\u00e9\/\b\f", "😀é/\u{8}\u{c}"),
            (r"\ud83dx\u12", "\u{fffd}x\u{fffd}"),
            (r"end\", "end"),
            (r"\ué", "\u{fffd}"),
        ] {
            assert_eq!(unescape(inside), text, "{inside}");
        }
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = "{\"a\":\"x\\\\\",\"b\\\"\":-1.5e3,\"c\":[{\"}\":\"]\"}, [ ]],\"d\":null}\n";
        let members: Vec<_> = members(line).collect();
        let expected =
            [("a", r#""x\\""#), (r#"b\""#, "-1.5e3"), ("c", r#"[{"}":"]"}, [ ]]"#), ("d", "null")];
        assert_eq!(members, expected);
    }

    proptest! {
        /// LOG-1: any text survives, on one line, and nothing in it deletes.
        #[test]
        fn any_text_survives(text in "(\\PC|[\0-\u{1f}\"\\\\\u{7f}]){0,40}") {
            let mut out = String::new();
            string(&mut out, &text);
            prop_assert!(!out.contains(|c: char| c.is_ascii_control()));
            prop_assert_eq!(&serde_json::from_str::<String>(&out).unwrap(), &text);
            prop_assert_eq!(unescape(&out[1..out.len() - 1]), text);
        }

        #[test]
        fn any_number_is_valid(number: f64, thousandths: i32) {
            let (mut short, exact) = (String::new(), f64::from(thousandths) / 1000.0);
            float(&mut short, exact);
            prop_assert_eq!(short, ryu::Buffer::new().format(exact).to_owned());
            let mut out = String::new();
            float(&mut out, number);
            prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{}", out);
            prop_assert!(!number.is_finite() || out.parse() == Ok(number), "{}", out);
        }

        #[test]
        fn nothing_makes_it_panic(text: String) {
            unescape(&text);
            members(&text).count();
        }
    }
}
