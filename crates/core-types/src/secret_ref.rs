use std::fmt;
use std::str::FromStr;

use crate::Error;

/// What every reference begins with.
const SCHEME: &str = "secret://";

/// Where a secret is to be found: `secret://name:key` or `secret://backend/name:key`.
///
/// The key is optional: everything behind the last colon. What stands before it is a path of
/// segments divided by `/`. The first segment names a backend only if a backend of that name is
/// configured, which the text alone cannot tell: see [`split_backend`](Self::split_backend).
///
/// ```
/// # use core_types::SecretRef;
/// let reference: SecretRef = "secret://app/database:password".parse()?;
/// assert_eq!(reference.path(), "app/database");
/// assert_eq!(reference.key(), Some("password"));
/// assert_eq!(reference.split_backend(|name| name == "vault"), (None, "app/database"));
/// assert_eq!(reference.split_backend(|name| name == "app"), (Some("app"), "database"));
/// # Ok::<(), core_types::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    path: Box<str>,
    key: Option<Box<str>>,
}

impl SecretRef {
    /// Refers to a path, and to one key of it.
    ///
    /// # Errors
    /// [`Error::SecretRef`] if the path or the key is empty or has characters that a reference
    /// cannot carry: a path is segments of `A-Z a-z 0-9 . _ -` divided by `/`, none of them `.` or
    /// `..`; a key has no `/` and no colon.
    pub fn new(path: &str, key: Option<&str>) -> Result<Self, Error> {
        let is_segment = |segment: &str| {
            !matches!(segment, "" | "." | "..") && segment.bytes().all(is_reference_byte)
        };
        if !path.split('/').all(is_segment) || !key.is_none_or(is_segment) {
            return Err(Error::SecretRef);
        }
        Ok(Self { path: path.into(), key: key.map(Into::into) })
    }

    /// Whether a text claims to be a reference. It may still be malformed.
    pub fn is_reference(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The path, a backend's name included if there is one.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The key inside the secret, if one was given.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Divides the path into a backend's name and the rest, given which names are configured.
    pub fn split_backend(&self, is_backend: impl Fn(&str) -> bool) -> (Option<&str>, &str) {
        match self.path.split_once('/') {
            Some((first, rest)) if is_backend(first) => (Some(first), rest),
            _ => (None, &self.path),
        }
    }
}

fn is_reference_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._-".contains(&byte)
}

impl FromStr for SecretRef {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix(SCHEME).ok_or(Error::SecretRef)?;
        match rest.rsplit_once(':') {
            Some((path, key)) => Self::new(path, Some(key)),
            None => Self::new(rest, None),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.path)?;
        self.key.as_ref().map_or(Ok(()), |key| write!(f, ":{key}"))
    }
}

impl fmt::Debug for SecretRef {
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
        fn printed_and_read_again_it_is_the_same(
            path in "[A-Za-z0-9_-]{1,8}(/[A-Za-z0-9_-]{1,8}){0,3}",
            key in proptest::option::of("[A-Za-z0-9_-]{1,8}"),
        ) {
            let reference = SecretRef::new(&path, key.as_deref()).unwrap();
            prop_assert_eq!(reference.to_string().parse::<SecretRef>().unwrap(), reference);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = text.parse::<SecretRef>();
            let _ = format!("secret://{text}").parse::<SecretRef>();
        }
    }

    #[test]
    fn malformed_references_are_refused() {
        for bad in [
            "secret://",
            "secret://:key",
            "secret://name:",
            "secret:///name",
            "secret://a//b",
            "secret://name/",
            "secret://../etc/passwd",
            "secret://a/./b",
            "secret://na me",
            "vault://name",
            "name:key",
            "secret://a:b:c",
            "secret://a:b/c",
        ] {
            assert_eq!(bad.parse::<SecretRef>(), Err(Error::SecretRef), "{bad}");
        }
    }
}
