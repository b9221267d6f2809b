use std::fmt;
use std::sync::Arc;

use crate::{Error, random};

/// The longest id that is accepted, in characters.
const MAX_LENGTH: usize = 128;

/// Whether a text may be an id: 1 to 128 characters that need no escaping in a header, a log line
/// or a shell.
fn is_well_formed(text: &str) -> bool {
    (1..=MAX_LENGTH).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~:/+=@".contains(&b))
}

/// A random UUID (version 4, RFC 9562) as text: what ids are made of, for who only writes it down.
///
/// Nobody can use it as a key: the generator is quick and not secret.
// By a table, for each request makes two, and `format!` takes many times as long.
#[must_use]
pub fn uuid() -> [u8; 36] {
    /// Where the digits of each byte stand, with a dash after 8, 12, 16 and 20 of them.
    const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    const DIGITS: [[u8; 2]; 256] = digits();
    let random = random::u128();
    let bits = random & !(0xf << 76 | 0x3 << 62) | (0x4 << 76 | 0x2 << 62);
    let mut text = [b'-'; 36];
    for (place, byte) in PLACES.into_iter().zip(bits.to_be_bytes()) {
        text[place..place + 2].copy_from_slice(&DIGITS[usize::from(byte)]);
    }
    text
}

/// The two hexadecimal digits of every byte.
const fn digits() -> [[u8; 2]; 256] {
    let digits = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = [digits[byte >> 4], digits[byte & 0xf]];
        byte += 1;
    }
    table
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Cheap to clone. Made by [`generate`](Self::generate), or accepted from outside by
        /// [`parse`](Self::parse) when it is well-formed: 1 to 128 letters, digits, or any of
        /// `-_.~:/+=@`, so that it needs no escaping wherever it goes.
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Makes a new one: a random UUID.
            #[must_use]
            pub fn generate() -> Self {
                Self(std::str::from_utf8(&uuid()).expect("digits and dashes").into())
            }

            /// Accepts an id from outside.
            ///
            /// # Errors
            /// [`Error::Id`] if the text is not well-formed.
            pub fn parse(text: &str) -> Result<Self, Error> {
                if is_well_formed(text) { Ok(Self(text.into())) } else { Err(Error::Id) }
            }

            /// Accepts a well-formed id and replaces any other, or none, by a new one.
            #[must_use]
            pub fn accept_or_generate(text: Option<&str>) -> Self {
                text.and_then(|text| Self::parse(text).ok()).unwrap_or_else(Self::generate)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::parse(text)
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

id! {
    /// Names one piece of work across services, tasks and threads.
    CorrelationId
}
id! {
    /// Names one HTTP request; goes out as `X-Request-ID`.
    RequestId
}
id! {
    /// Names one failure, in the answer to the caller and in the log line with its cause.
    ErrorId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_id_is_a_version_4_uuid() {
        let id = CorrelationId::generate();
        let text = id.as_str();
        assert_eq!(text.len(), 36);
        assert_eq!(&text[14..15], "4");
        assert!("89ab".contains(&text[19..20]), "{text}");
        assert_eq!(text.matches('-').count(), 4);
        assert_ne!(id, CorrelationId::generate());
        assert_eq!(CorrelationId::parse(text), Ok(id.clone()));
    }

    /// LOG-3, HTTP-1: accepted when well-formed, replaced when not.
    #[test]
    fn an_ill_formed_id_is_replaced() {
        let kept = |text: &str| RequestId::accept_or_generate(Some(text)).as_str() == text;
        assert!(kept("a"));
        assert!(kept("client-1/retry=2@host:80+x.y~z_0"));
        assert!(kept(&"x".repeat(128)));
        for bad in
            ["", "two words", "line\nbreak", "quote\"", "back\\slash", "<script>", "é", "a,b"]
        {
            assert!(!kept(bad), "{bad:?} was kept");
        }
        assert!(!kept(&"x".repeat(129)));
        assert_eq!(RequestId::accept_or_generate(None).as_str().len(), 36);
    }
}
