use std::fmt;
use std::sync::Arc;

/// The most members that a list may have.
const MAX_MEMBERS: usize = 32;
/// The longest key, and the longest value, in characters.
const MAX_LENGTH: usize = 256;

/// The header `tracestate`: what vendors attached to a trace, passed on untouched.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TraceState(Option<Arc<str>>);

impl TraceState {
    /// Reads the header; several headers are to be joined by commas first. `None` if any member is
    /// malformed, a key stands twice, or there are more than 32: then all of it is to be dropped.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut keys = Vec::new();
        let members = header.split(',').map(|member| member.trim_matches([' ', '\t']));
        let members: Vec<&str> = members.filter(|member| !member.is_empty()).collect();
        for member in &members {
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) || keys.contains(&key) {
                return None;
            }
            keys.push(key);
        }
        match members.len() {
            0 => Some(Self(None)),
            1..=MAX_MEMBERS => Some(Self(Some(members.join(",").into()))),
            _ => None,
        }
    }

    /// The value of the outgoing header; none if there is nothing to say.
    pub fn header(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// What one vendor attached.
    pub fn get(&self, key: &str) -> Option<&str> {
        let members = self.0.as_deref()?.split(',');
        members.filter_map(|m| m.split_once('=')).find_map(|(k, value)| (k == key).then_some(value))
    }
}

fn is_key(key: &str) -> bool {
    let starts_well = key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_key_byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(&b);
    starts_well && key.len() <= MAX_LENGTH && key.bytes().all(is_key_byte)
}

fn is_value(value: &str) -> bool {
    (1..=MAX_LENGTH).contains(&value.len())
        && !value.ends_with(' ')
        && value.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b',' && b != b'=')
}

impl fmt::Debug for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header().unwrap_or_default())
    }
}
