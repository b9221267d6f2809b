use std::collections::BTreeMap;
use std::path::PathBuf;

use core_types::ByteSize;

use crate::{Levels, Schema};

/// What an operator may say about logs: the section `logging`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Config {
    /// The least level that is written, for all or by target: `info`, `info,hyper=warn`. In any
    /// case; `WARNING` and `CRITICAL` are understood. Default: info, what an operator wants to see.
    #[cfg_attr(feature = "schema", schemars(extend("x-short" = ["LOG_LEVEL"])))]
    pub level: Levels,
    /// `true`: JSON everywhere. `false`: text even in a pipe. Unset, the default: text on a
    /// terminal, JSON in a pipe and in the file.
    #[cfg_attr(feature = "schema", schemars(extend("x-short" = ["LOG_JSON"])))]
    pub json_format: Option<bool>,
    /// By whose rules JSON lines are written: `mira`, `ecs`, `opentelemetry`, `google_cloud`,
    /// `datadog`. Default: our own.
    pub schema: Schema,
    /// The project that traces go to, by the rules of `google_cloud`: `projects/<project>/traces/<id>`.
    /// Default: none; then `logging.googleapis.com/trace` is the id alone, which is found, and not
    /// linked.
    pub google_cloud_project: Option<String>,
    /// Members of a JSON line that are to have other names: `{"logger": "source"}`; by our own
    /// names, whatever the schema. Default: none.
    pub rename: BTreeMap<String, String>,
    /// Members that every JSON line has besides: `{"env": "staging"}`. Default: none.
    pub add: BTreeMap<String, String>,
    /// Members that no JSON line has: `["thread"]`. Default: none.
    pub drop: Vec<String>,
    /// A file that gets every line too, beside the standard output. Missing folders are made; a
    /// file that cannot be opened is reported, and the service goes on without it. Default: none.
    #[cfg_attr(feature = "schema", schemars(extend("x-short" = ["LOG_FILE"])))]
    pub file: Option<PathBuf>,
    /// When a new file is begun, beside when it is full: `never`, `hourly`, `daily` (UTC). Default:
    /// never.
    pub rotation: Rotation,
    /// The size at which the file is put aside, under its name with the moment behind it, and a new
    /// one is begun; 0 is no limit. Default: 50MiB, which every viewer opens.
    pub max_file_size: ByteSize,
    /// How many files that were put aside are kept, beside the one that is written; 0 is no limit.
    /// Default: 10.
    pub max_files: u32,
    /// How much the file and those that were put aside may take together, counting the file as what
    /// it may grow to; the oldest go first. 0, the default: no limit but the two above.
    pub max_total_size: ByteSize,
    /// Whether files that were put aside are compressed (gzip), by a thread of its own. Default: no,
    /// for they could not be searched as they are.
    pub compress: bool,
    /// The longest text of one value; what is longer is cut, and marked as cut. Less than 64 bytes
    /// counts as 64. Default: 32KiB, which holds a long backtrace and spares the collector.
    pub max_value: ByteSize,
    /// How much may be on its way, waiting or being written, for each destination; what comes then
    /// is dropped and counted. Less than 64KiB counts as 64KiB. Default: 8MiB, some 20,000 lines.
    pub buffer: ByteSize,
    /// How many lines a second one place in the code may write; what comes then is dropped, counted,
    /// and told with its place a second later. 0, the default: no limit, for whoever asked for a
    /// level expects all of it, and `buffer` is a limit already.
    pub max_per_callsite: u32,
    /// Fields whose values are masked, beside those named like credentials (`password`, `token`,
    /// `authorization`, …). Default: none.
    pub redact: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            level: Levels::default(),
            json_format: None,
            schema: Schema::default(),
            google_cloud_project: None,
            rename: BTreeMap::new(),
            add: BTreeMap::new(),
            drop: Vec::new(),
            file: None,
            rotation: Rotation::Never,
            max_file_size: ByteSize::from_mebibytes(50),
            max_files: 10,
            max_total_size: ByteSize::from_bytes(0),
            compress: false,
            max_value: ByteSize::from_bytes(32 << 10),
            buffer: ByteSize::from_mebibytes(8),
            max_per_callsite: 0,
            redact: Vec::new(),
        }
    }
}

/// When a new log file is begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Rotation {
    /// All lines in one file.
    #[default]
    Never,
    /// One file an hour.
    Hourly,
    /// One file a day.
    Daily,
}
