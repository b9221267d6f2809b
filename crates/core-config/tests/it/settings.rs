//! The settings type that the tests load, and folders to load it from.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use core_config::schemars::{self, JsonSchema};
use core_config::{Loader, Problems, Validate};
use core_types::{ByteSize, Duration, Secret};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) logging: Logging,
    pub(crate) integrations: Integrations,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) tags: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Server {
    #[schemars(extend("x-expected" = "an address such as `127.0.0.1:8080`"))]
    pub(crate) bind_address: SocketAddr,
    pub(crate) request_timeout: Duration,
    pub(crate) body_limit: ByteSize,
    #[schemars(range(min = 1, max = 100))]
    pub(crate) workers: u16,
    pub(crate) least: u32,
    pub(crate) most: u32,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            bind_address: "127.0.0.1:8080".parse().unwrap(),
            request_timeout: Duration::from_secs(30),
            body_limit: ByteSize::from_mebibytes(2),
            workers: 4,
            least: 1,
            most: 2,
        }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Logging {
    #[schemars(extend("x-short" = ["LOG_LEVEL"]))]
    pub(crate) level: Level,
    pub(crate) json_format: Option<bool>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Debug,
    #[default]
    Info,
    Warn,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Integrations {
    pub(crate) github: Github,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Github {
    pub(crate) enabled: bool,
    #[serde(skip_serializing)]
    pub(crate) token: Option<Secret<String>>,
    pub(crate) url: String,
}

impl Validate for Settings {
    fn validate(&self, problems: &mut Problems) {
        let Server { least, most, .. } = self.server;
        problems.require(least <= most, "server.least", "must not exceed `server.most`");
    }
}

/// A folder of files, gone with the value.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn loader(&self, name: &str) -> Loader<Settings> {
        Loader::new().with_file(self.path(name))
    }

    /// A text about files, without the folder's random name.
    pub(crate) fn strip(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

pub(crate) fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}
