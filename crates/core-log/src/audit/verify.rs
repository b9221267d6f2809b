use std::io::BufRead;

use super::{FIRST, HASH, Head, hash};
use crate::json;

/// Where and how a chain is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Broken {
    /// A line is none, or its hash is not its own: it was edited.
    #[error("line {line} was changed")]
    Changed {
        /// Its number in the file, from 1.
        line: u64,
    },
    /// A line does not follow the one before: something between was removed, added or swapped, or
    /// the beginning is missing.
    #[error("line {line} does not follow the one before it")]
    Unchained {
        /// Its number in the file, from 1.
        line: u64,
    },
    /// The chain is whole, and does not reach the end that is known of it.
    #[error(
        "the file ends at {sequence}, and {expected} is known: the end was cut off or rewritten"
    )]
    Cut {
        /// The number of its last line.
        sequence: u64,
        /// What is known.
        expected: String,
    },
    /// The file cannot be read.
    #[error("the audit file cannot be read")]
    Io(#[from] std::io::Error),
}

/// What one line says of the chain.
pub(super) struct Link {
    pub(super) head: Head,
    previous: String,
}

/// Reads a line, if its hash is its own.
pub(super) fn line(bytes: &[u8]) -> Option<Link> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (content, own) = text.rsplit_once(HASH)?;
    let own = own.strip_suffix("\"}")?;
    if hash(content.as_bytes()) != own {
        return None;
    }
    let member = |wanted: &str| {
        let found = json::members(text).find(|(name, _)| *name == wanted);
        found.map(|(_, value)| json::text_of(value).into_owned())
    };
    let head = Head { sequence: member("sequence")?.parse().ok()?, hash: own.to_owned() };
    Some(Link { head, previous: member("previous")? })
}

/// Reads an audit file and follows its chain; its end. With an end that is known, from the log or
/// from an earlier reading, also a cut or a rewriting of the end is found.
///
/// # Errors
/// [`Broken`], at the first line that is wrong.
pub fn verify(mut file: impl BufRead, known: Option<&Head>) -> Result<Head, Broken> {
    let mut head = Head { sequence: 0, hash: FIRST.into() };
    let mut is_known_seen = known.is_none_or(|known| known.sequence == 0);
    let (mut bytes, mut number) = (Vec::new(), 0);
    while file.read_until(b'\n', &mut bytes)? > 0 {
        number += 1;
        let whole = bytes.strip_suffix(b"\n").ok_or(Broken::Changed { line: number })?;
        let link = line(whole).ok_or(Broken::Changed { line: number })?;
        if link.previous != head.hash || link.head.sequence != head.sequence + 1 {
            return Err(Broken::Unchained { line: number });
        }
        head = link.head;
        is_known_seen = is_known_seen || known == Some(&head);
        bytes.clear();
    }
    match known {
        Some(known) if !is_known_seen => {
            Err(Broken::Cut { sequence: head.sequence, expected: known.to_string() })
        }
        _ => Ok(head),
    }
}
