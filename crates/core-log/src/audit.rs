//! Who did what: a file of its own whose lines are chained, so that a cut or an edit can be proved.
//!
//! Each line carries the hash (SHA-256) of itself, with that of the line before in it. Whoever
//! changes, removes or swaps a line breaks the chain there; whoever rewrites all that follows ends
//! at another hash than the one that was told elsewhere: [`Audit::record`] gives it, and it belongs
//! where the same hands do not reach, such as the log of the process.

mod verify;

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use core_types::{Scope, Timestamp};
use sha2::{Digest as _, Sha256};

pub use self::verify::{Broken, verify};
use crate::fields::Fields;
use crate::json;
use crate::line::{Nearer, write_members};
use crate::mask::Rules;
use crate::name::Name;

/// What stands in front of a line's own hash.
const HASH: &str = r#","hash":""#;
/// What the first line has in the place of the hash of the one before.
const FIRST: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// No text of an entry is longer.
const MAX_VALUE: usize = 32 << 10;
/// No line is longer.
const MAX_LINE: u64 = 4 << 20;

/// Why an audit file cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process writes it.
    #[error("{path} is written by another process; give each its own audit file")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Its last line is none of ours, or was changed.
    #[error("{path} does not end with a line of an audit file; verify it, and begin another")]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened, read or written.
    #[error("cannot write the audit file {path}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// The number of the last line; the first one is 1.
    pub sequence: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

impl Head {
    fn first() -> Self {
        Self { sequence: 0, hash: FIRST.into() }
    }
}

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (sequence, hash) = text.trim().split_once(':').ok_or(NoHead)?;
        let sequence = sequence.parse().map_err(|_| NoHead)?;
        let is_hash = hash.len() == FIRST.len() && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if is_hash { Ok(Self { sequence, hash: hash.to_ascii_lowercase() }) } else { Err(NoHead) }
    }
}

/// A text that is not the end of a chain.
#[derive(Debug, thiserror::Error)]
#[error("expected the end of an audit file as the log tells it: a number, a colon and a hash")]
#[non_exhaustive]
pub struct NoHead;

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, self.hash)
    }
}

/// What somebody did. Named like a credential, a field is masked as on any line.
#[derive(Clone, Debug)]
pub struct Entry {
    actor: String,
    action: String,
    fields: Vec<(String, String)>,
}

impl Entry {
    /// Who did what; by names that can be searched for, such as `operator` and `reload`.
    #[must_use]
    pub fn new(actor: impl Into<String>, action: impl Into<String>) -> Self {
        Self { actor: actor.into(), action: action.into(), fields: Vec::new() }
    }

    /// Adds a text.
    #[must_use]
    pub fn with_text(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.fields.push((name.into(), text.into()));
        self
    }
}

/// An audit file that is written.
pub struct Audit {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    head: Head,
    /// How much of the file is whole lines.
    length: u64,
}

impl Audit {
    /// Opens a file and goes on with its chain. What a crash has left of a line that was never
    /// confirmed is cut off.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |source| Error::Io { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut file =
            File::options().read(true).append(true).create(true).open(path).map_err(io)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::InUse { path: path.to_owned() },
            TryLockError::Error(source) => io(source),
        })?;
        let size = file.metadata().map_err(io)?.len();
        let from = size.saturating_sub(MAX_LINE);
        file.seek(SeekFrom::Start(from)).map_err(io)?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail).map_err(io)?;
        let whole = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let length = from + whole as u64;
        let head = match tail[..whole].strip_suffix(b"\n") {
            None if length == 0 => Head::first(),
            None => return Err(Error::Broken { path: path.to_owned() }),
            Some(lines) => {
                let last = lines.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
                verify::line(last).ok_or_else(|| Error::Broken { path: path.to_owned() })?.head
            }
        };
        if length < size {
            file.set_len(length).map_err(io)?;
        }
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { file, head, length }) })
    }

    /// Writes what somebody did, with what the current scope knows, and waits until the disk has
    /// it: not for code that must not block.
    ///
    /// # Errors
    /// [`Error::Io`]; then nothing was written, and the chain goes on with the next entry.
    pub fn record(&self, entry: &Entry) -> Result<Head, Error> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence = state.head.sequence + 1;
        let mut line = render(sequence, entry, &state.head.hash);
        let hash = hash(line.as_bytes());
        line.push_str(HASH);
        line.push_str(&hash);
        line.push_str("\"}\n");
        let written = state.file.write_all(line.as_bytes()).and_then(|()| state.file.sync_data());
        if let Err(source) = written {
            // Half a line would break the chain.
            let _ = state.file.set_len(state.length);
            return Err(Error::Io { path: self.path.clone(), source });
        }
        state.length += line.len() as u64;
        state.head = Head { sequence, hash };
        Ok(state.head.clone())
    }

    /// The last line.
    pub fn head(&self) -> Head {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).head.clone()
    }
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The line up to its own hash.
fn render(sequence: u64, entry: &Entry, previous: &str) -> String {
    let rules = Rules::new(&[], MAX_VALUE);
    let mut fields = Fields::default();
    for name in ["sequence", "actor", "action", "previous", "hash"] {
        // Nobody else may use a name of ours.
        fields.push(Name::new(name), "", |_| ());
    }
    let own = fields.text().len();
    for (name, text) in &entry.fields {
        let mut rendered = String::new();
        let is_masked = rules.masks(name);
        let name = Name::new(name);
        name.write(&mut rendered);
        fields.push(name, &rendered, |out| {
            if is_masked { crate::mask::redacted(out) } else { rules.text(out, text) }
        });
    }
    let mut line = format!(
        "{{\"sequence\":{sequence},\"timestamp\":\"{}\",\"actor\":",
        Timestamp::from(SystemTime::now())
    );
    rules.text(&mut line, &entry.actor);
    line.push_str(",\"action\":");
    rules.text(&mut line, &entry.action);
    if let Some(scope) = Scope::current() {
        write_members(&mut line, &rules, &scope, &Nearer::new(&fields));
    }
    line.push_str(&fields.text()[own..]);
    line.push_str(",\"previous\":");
    json::string(&mut line, previous);
    line
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
