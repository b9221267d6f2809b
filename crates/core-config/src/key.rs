use std::fmt;

use serde_json::Value;

/// One step of a [`Key`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Segment {
    Name(Box<str>),
    Index(usize),
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

    /// Reads a key: names divided by dots, and indices in brackets. A name that holds a dot or a
    /// bracket cannot be written.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self::root();
        for part in text.split('.') {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            if name.is_empty() || name.contains(']') {
                return None;
            }
            key = key.name(name);
            for index in indices.split_inclusive(']').filter(|index| !index.is_empty()) {
                let digits = index.strip_prefix('[')?.strip_suffix(']')?;
                key = key.index(digits.parse().ok()?);
            }
        }
        Some(key)
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Name(name) if position == 0 => f.write_str(name)?,
                Segment::Name(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
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
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = Key::parse(&text);
        }
    }

    #[test]
    fn malformed_keys_are_refused() {
        for bad in ["", ".", "a.", ".a", "a..b", "[0]", "a[", "a[x]", "a[0]b", "a]"] {
            assert_eq!(Key::parse(bad), None, "{bad:?}");
        }
    }
}
