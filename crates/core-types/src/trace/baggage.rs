use std::fmt;
use std::sync::Arc;

/// The most members that are kept.
const MAX_MEMBERS: usize = 64;
/// The most bytes that all members together may have.
const MAX_BYTES: usize = 8192;

/// The header `baggage`: names and values that travel with a request
/// ([W3C Baggage](https://www.w3.org/TR/baggage/)).
///
/// Anyone upstream can write it, so it is for correlation and never for authorization. At most 64
/// members and 8192 bytes are kept; what is malformed or past the limits is dropped, member by
/// member.
///
/// ```
/// # use core_types::Baggage;
/// let baggage = Baggage::parse("tenant=blue%20team;ttl=1, region=eu");
/// assert_eq!(baggage.get("tenant").as_deref(), Some("blue team"));
/// assert_eq!(baggage.header().as_deref(), Some("tenant=blue%20team;ttl=1,region=eu"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Baggage(Arc<[Box<str>]>);

impl Baggage {
    /// Reads the header; several headers are to be joined by commas first.
    #[must_use]
    pub fn parse(header: &str) -> Self {
        let mut bytes = 0;
        let members = header
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']))
            .filter(|member| split(member).is_some())
            .take(MAX_MEMBERS)
            .take_while(|member| {
                bytes += member.len() + 1;
                bytes <= MAX_BYTES + 1
            });
        Self(members.map(Into::into).collect())
    }

    /// Whether nothing is carried.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One value, decoded. Invalid UTF-8 becomes U+FFFD, as the specification asks.
    pub fn get(&self, key: &str) -> Option<String> {
        self.iter().find_map(|(k, value)| (k == key).then_some(value))
    }

    /// Every name and value, decoded.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|member| split(member)).map(|(key, value)| (key, decode(value)))
    }

    /// The value of the outgoing header; none if there is nothing to say.
    pub fn header(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.0.join(","))
    }
}

/// The key and the encoded value of a member, properties left aside; `None` if it is malformed.
fn split(member: &str) -> Option<(&str, &str)> {
    let (key, rest) = member.split_once('=')?;
    let value = rest.split(';').next()?;
    let (key, value) = (key.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let is_value = |b: u8| b.is_ascii_graphic() && !b"\",;\\".contains(&b);
    let is_header = |b: u8| b.is_ascii_graphic() || b == b' ' || b == b'\t';
    let well_formed = !key.is_empty()
        && key.bytes().all(is_token)
        && value.bytes().all(is_value)
        && rest.bytes().all(is_header);
    well_formed.then_some((key, value))
}

/// Undoes percent-encoding. A percent sign without two digits stands for itself.
fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digit = |at: usize| tail.get(at).and_then(|b| (*b as char).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (first, digit(0), digit(1)) {
            bytes.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits"));
            rest = &tail[2..];
        } else {
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl fmt::Debug for Baggage {
    /// Names only: values come from strangers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().filter_map(|m| split(m)).map(|(key, _)| key)).finish()
    }
}
