//! What of a value may be shown.

use core_types::{REDACTED, is_credential};
use serde_json::Value;

use crate::Key;
use crate::references::{self, Part};
use crate::schema::View;

/// A value as it may be shown: without what is secret by its type, by its name, or inside a text.
pub(crate) fn mask(view: &View<'_>, key: &Key, value: &Value) -> Value {
    masked(view, value, key.last_name().is_some_and(is_credential))
}

/// `is_named` is whether the value, or what it stands in, has the name of a credential.
fn masked(view: &View<'_>, value: &Value, is_named: bool) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::String(text) if references::is_reference(text) => value.clone(),
        _ if view.is_secret() => REDACTED.into(),
        Value::String(_) | Value::Number(_) if is_named => REDACTED.into(),
        Value::String(text) => without_passwords(text).into(),
        Value::Array(list) => {
            let item = |(index, item)| {
                let below = view.item(index);
                masked(below.as_ref().unwrap_or(view), item, is_named)
            };
            list.iter().enumerate().map(item).collect()
        }
        Value::Object(table) => {
            let entry = |(name, item): (&String, &Value)| {
                let below = view.member(name);
                let below = below.as_ref().unwrap_or(view);
                (name.clone(), masked(below, item, is_named || is_credential(name)))
            };
            table.iter().map(entry).collect()
        }
        Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Characters of no meaning of their own, which stand for references while a text is looked at.
const MARKS: std::ops::Range<u32> = 0xe000..0xf8ff;

/// A text without the passwords in its addresses (`nats://user:[REDACTED]@host`) and behind names
/// of credentials (`?token=[REDACTED]`). A reference is no password yet. Where it is not clear what
/// is a password, rather too much is masked than too little.
fn without_passwords(text: &str) -> String {
    let (mut marked, mut marks) = (String::new(), Vec::new());
    for part in references::parts(text) {
        match part {
            Part::Text(text) => marked += text,
            Part::Reference(reference) | Part::Unclosed(reference) => {
                let mark = MARKS.clone().nth(marks.len()).and_then(char::from_u32);
                let Some(mark) = mark.filter(|mark| !text.contains(*mark)) else {
                    return REDACTED.into();
                };
                marked.push(mark);
                marks.push((mark, format!("${{{reference}}}")));
            }
        }
    }
    let shown = named(&addresses(&marked));
    marks.iter().fold(shown, |shown, (mark, reference)| shown.replace(*mark, reference))
}

/// Whether nothing but references, or nothing at all, stands where a password may.
fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| MARKS.contains(&u32::from(c)))
}

fn addresses(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (scheme, address) = rest.split_at(at + 3);
        let end = next_address(address).unwrap_or(address.len());
        shown += scheme;
        shown += &without_user_info(&address[..end]);
        rest = &address[end..];
    }
    shown + rest
}

/// Where another address begins, as in a list of them. Behind a colon it is part of a password.
fn next_address(text: &str) -> Option<usize> {
    text.match_indices("://").find_map(|(at, _)| {
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let before = text[..at].trim_end_matches(is_scheme);
        (!before.is_empty() && !before.ends_with(':')).then_some(before.len())
    })
}

fn without_user_info(address: &str) -> String {
    let password = || {
        // The last one: a password may hold any character, though it should not.
        let (user_info, host) = address.rsplit_once('@')?;
        let (user, password) = user_info.split_once(':')?;
        let is_path = user.contains(['/', '?', '#']);
        (!is_path && !is_harmless(password)).then(|| format!("{user}:{REDACTED}@{host}"))
    };
    password().unwrap_or_else(|| address.to_owned())
}

fn named(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        shown += before;
        shown.push('=');
        rest = after;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let name = before.rsplit(|c| !is_name(c)).next().unwrap_or(before);
        if is_credential(name) {
            let is_quoted = after.starts_with(['"', '\'']);
            let end = after.find(|c: char| "&;".contains(c) || c.is_whitespace());
            let end = end.filter(|_| !is_quoted).unwrap_or(after.len());
            if !is_harmless(&after[..end]) {
                shown += REDACTED;
                rest = &after[end..];
            }
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// CFG-4: a password inside an address or behind a name is masked too.
    #[test]
    fn a_text_is_shown_without_its_passwords() {
        let reference = "${secret://db:password}";
        for (text, expected) in [
            ("nats://me:canary@host:4222/x", "nats://me:[REDACTED]@host:4222/x"),
            ("nats://me:can@ary@host", "nats://me:[REDACTED]@host"),
            ("redis://:canary@host", "redis://:[REDACTED]@host"),
            ("postgres://u:can/ary#canary@h/db", "postgres://u:[REDACTED]@h/db"),
            ("a://u:x://canary@h", "a://u:[REDACTED]@h"),
            (
                "nats://a:canary@h1:1,nats://b:canary@h2:2",
                "nats://a:[REDACTED]@h1:1,nats://b:[REDACTED]@h2:2",
            ),
            ("http://h/?to=https://u:canary@h", "http://h/?to=https://u:[REDACTED]@h"),
            (&format!("db://me:{reference}canary@h"), "db://me:[REDACTED]@h"),
            (
                &format!("db://{reference}:canary@h/{reference}"),
                &format!("db://{reference}:[REDACTED]@h/{reference}"),
            ),
            ("https://h/?a=b&password=canary&c=d", "https://h/?a=b&password=[REDACTED]&c=d"),
            ("host=h password=canary user=u", "host=h password=[REDACTED] user=u"),
            ("host=h password='can ary'", "host=h password=[REDACTED]"),
            ("Api-Key=canary;x=y", "Api-Key=[REDACTED];x=y"),
            // What stands for a reference while the text is looked at stands in it already.
            (&format!("\u{e000}canary{reference}"), "[REDACTED]"),
        ] {
            assert_eq!(without_passwords(text), expected);
        }
        for unchanged in [
            "nats://host:4222",
            "http://host/a:b@c",
            "text",
            "me@host",
            "a://b@c",
            "a=b",
            "https://h/?token=",
            "token=${secret://a:b}",
            "db://me:${secret://db:password}@host",
            "db://${secret://db:user}:${secret://db:password}@${secret://db:host}",
            "x${secret://unclosed",
        ] {
            let shown = without_passwords(unchanged);
            assert!(shown == unchanged || unchanged.contains("unclosed"), "{shown}");
        }
    }

    proptest! {
        /// CFG-4: whatever stands around it, a password of letters between `:` and `@` is not shown.
        #[test]
        fn no_password_is_shown(before in "[a-z,; ]{0,6}", user in "[a-z]{0,4}", tail in "[/#@a-z]{0,6}", after in "\\PC{0,12}") {
            let text = format!("{before}s://{user}:canary{tail}@{after}");
            let shown = without_passwords(&text);
            prop_assert!(!shown.contains("canary"), "{} {}", text, shown);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[a:/@=?&é\u{e000}$ {}]{0,20}|(\\$\\{secret://a[}:@]|\\PC){0,8}") {
            let _ = without_passwords(&text);
        }
    }
}
