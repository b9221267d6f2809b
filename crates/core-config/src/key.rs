use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

/// One step of a [`Key`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Segment {
    Name(Box<str>),
    Index(usize),
}

/// A key while a tree is walked: it is made where somebody wants it.
#[derive(Clone, Copy)]
pub(crate) enum Trail<'t> {
    Root,
    Name(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

impl<'t> Trail<'t> {
    pub(crate) fn name(&'t self, name: &'t str) -> Self {
        Self::Name(self, name)
    }

    pub(crate) fn index(&'t self, index: usize) -> Self {
        Self::Index(self, index)
    }

    pub(crate) fn to_key(self) -> Key {
        fn segments(trail: &Trail<'_>, below: usize) -> Vec<Segment> {
            let (above, segment) = match trail {
                Trail::Root => return Vec::with_capacity(below),
                Trail::Name(above, name) => (above, Segment::Name((*name).into())),
                Trail::Index(above, index) => (above, Segment::Index(*index)),
            };
            let mut segments = segments(above, below + 1);
            segments.push(segment);
            segments
        }
        Key(segments(&self, 0))
    }
}

/// Where a value stands in the settings: `server.bind_address`, `servers[0].name`.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Vec<Segment>);

impl Key {
    /// The whole.
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether this is the whole.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a key: names divided by dots, and indices in brackets. A name with other characters
    /// than letters, digits, `_` and `-` may stand in quotes, as in TOML, and must if it holds dots
    /// or brackets: `labels."example.org/team"`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self::root();
        let mut rest = text;
        loop {
            let after = if rest.starts_with('"') {
                let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                key = key.name(&names.next()?.ok()?);
                &rest[names.byte_offset()..]
            } else {
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at(end);
                if name.is_empty() || name.contains([']', '"']) {
                    return None;
                }
                key = key.name(name);
                after
            };
            rest = after;
            while let Some(inside) = rest.strip_prefix('[') {
                let (digits, after) = inside.split_once(']')?;
                key = key.index(digits.parse().ok()?);
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(next) => rest = next,
                None => return rest.is_empty().then_some(key),
            }
        }
    }

    /// A key below this one.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        self.with(Segment::Name(name.into()))
    }

    /// An element of the list at this key.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    pub(crate) fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The key above, if there is one.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The last name of the key.
    pub fn last_name(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|segment| match segment {
            Segment::Name(name) => Some(&**name),
            Segment::Index(_) => None,
        })
    }

    /// Whether this key is, or lies below, another.
    pub fn starts_with(&self, above: &Self) -> bool {
        self.0.starts_with(&above.0)
    }

    /// The value at this key.
    pub(crate) fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(value, |value, segment| match segment {
            Segment::Name(name) => value.get(&**name),
            Segment::Index(index) => value.get(*index),
        })
    }

    /// The value at this key, to be changed.
    pub(crate) fn get_mut<'v>(&self, value: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(value, |value, segment| match segment {
            Segment::Name(name) => value.get_mut(&**name),
            Segment::Index(index) => value.get_mut(*index),
        })
    }

    /// Takes the value at this key out. The elements of a list move up.
    pub(crate) fn remove(&self, value: &mut Value) -> Option<Value> {
        let (last, above) = self.0.split_last()?;
        let above = Self(above.to_vec());
        match (above.get_mut(value)?, last) {
            (Value::Object(table), Segment::Name(name)) => table.remove(&**name),
            (Value::Array(list), Segment::Index(index)) if *index < list.len() => {
                Some(list.remove(*index))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    /// As TOML writes it, so that it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) => {
                    f.write_str(if position == 0 { "" } else { "." })?;
                    f.write_str(&bare_or_quoted(name))?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A name as TOML writes it.
pub(crate) fn bare_or_quoted(name: &str) -> Cow<'_, str> {
    let is_bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { name.into() } else { quoted(name).into() }
}

/// A text in quotes, as TOML and JSON both read it.
pub(crate) fn quoted(text: &str) -> String {
    // JSON lets this one stand, TOML does not.
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn printed_and_read_again_it_is_the_same(text in "[a-z_]{1,5}(\\[[0-9]{1,2}\\])?(\\.[a-z_]{1,5}(\\[[0-9]\\]){0,2}){0,3}") {
            let key = Key::parse(&text).unwrap();
            prop_assert_eq!(Key::parse(&key.to_string()).unwrap(), key);
        }

        #[test]
        fn any_name_is_printed_and_read_again(names in proptest::collection::vec("\\PC{0,8}|[a-z.\"\\[\\]\\\\ ]{1,6}", 1..4), index: Option<u8>) {
            let key = names.iter().fold(Key::root(), |key, name| key.name(name));
            let key = index.iter().fold(key, |key, index| key.index((*index).into()));
            prop_assert_eq!(Key::parse(&key.to_string()), Some(key));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*|[a.\"\\[\\]0\\\\]{0,8}") {
            let _ = Key::parse(&text);
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        for bad in [
            "", ".", "a.", ".a", "a..b", "[0]", "a[", "a[x]", "a[0]b", "a]", "\"a", "\"a\"b",
            "a\"b", "a.\"b\".", "a[0]]",
        ] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
    }
}
