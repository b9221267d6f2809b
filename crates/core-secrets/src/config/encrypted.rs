use std::path::PathBuf;

use core_types::Secret;

/// Settings of the backend `encrypted`: one file for development, which may lie beside the code.
///
/// They count only where the feature `encrypted` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EncryptedConfig {
    /// The file. Default `secrets.sealed`, in the folder where the service is started.
    pub path: PathBuf,
    /// What opens it; spaces and line ends around it are left out. No reference: it opens the place
    /// that references lead to. Default: none.
    #[cfg_attr(feature = "serde", serde(skip_serializing))]
    pub passphrase: Option<Secret<String>>,
    /// A file that holds the passphrase, in its place. Default: none.
    pub passphrase_file: Option<PathBuf>,
}

impl Default for EncryptedConfig {
    fn default() -> Self {
        Self { path: "secrets.sealed".into(), passphrase: None, passphrase_file: None }
    }
}
