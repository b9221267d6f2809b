use std::path::PathBuf;
use std::sync::Arc;

use super::options::Terminal;
use crate::Config;
use crate::format::{Format, Shape};
use crate::mask::Rules;
use crate::sink::Limits;
use crate::writer::Writer;

/// Everything that a line needs to know, swapped as a whole: one load for each line.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) rules: Rules,
    /// 0 is no limit.
    pub(super) max_per_callsite: u32,
    pub(super) stdout: Format,
    pub(super) file_format: Format,
    pub(super) file: Option<Arc<FileSink>>,
}

impl State {
    pub(super) fn new(config: &Config, terminal: Terminal, service: &(String, String)) -> Self {
        let max_value = usize::try_from(config.max_value.bytes()).unwrap_or(usize::MAX).max(64);
        let console = |color| Format::Console { color };
        let shape = Shape {
            schema: config.schema,
            rename: config.rename.clone(),
            add: config.add.clone(),
            drop: config.drop.clone(),
            service: service.clone(),
            project: config.google_cloud_project.clone(),
        };
        let json = if shape.is_plain() { Format::Json } else { Format::Shaped(Arc::new(shape)) };
        let is_json = |by_default| config.json_format.unwrap_or(by_default);
        Self {
            rules: Rules::new(&config.redact, max_value),
            max_per_callsite: config.max_per_callsite,
            stdout: if is_json(!terminal.is_terminal) {
                json.clone()
            } else {
                console(terminal.color)
            },
            file_format: if is_json(true) { json } else { console(false) },
            file: None,
        }
    }
}

/// The log file that is written now.
pub(super) struct FileSink {
    pub(super) path: PathBuf,
    pub(super) limits: Limits,
    pub(super) writer: Writer,
}
