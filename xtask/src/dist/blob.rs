//! Bytes with their digest, the way image layouts and registries name them.

use sha2::{Digest as _, Sha256};

/// Bytes that are known by their digest.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) bytes: Vec<u8>,
    /// SHA-256, as 64 hexadecimal digits.
    pub(crate) hex: String,
}

impl Blob {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let hex = sha256(&bytes);
        Self { bytes, hex }
    }

    /// JSON without white space.
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::new(value.to_string().into_bytes())
    }

    /// `sha256:…`
    pub(crate) fn digest(&self) -> String {
        format!("sha256:{}", self.hex)
    }
}

/// The SHA-256 of some bytes, as 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
