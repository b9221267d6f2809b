//! Where the tests' lines go, and a reader that is stricter than most.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_log::{Config, Logging, Options};
use serde_json::{Map, Value};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt as _;

pub(crate) use crate::strict::strict;

pub(crate) const SOON: Duration = Duration::from_secs(10);

#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    /// Whether this is the only one who knows it.
    pub(crate) fn is_released(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Runs some code under a log of its own, and gives what it wrote.
pub(crate) fn text_of(config: &Config, options: Options, work: impl FnOnce(&Logging)) -> String {
    booting(options, |logging| {
        logging.configure(config);
        work(logging);
    })
}

/// As [`text_of`], under a log that is not configured yet.
pub(crate) fn booting(options: Options, work: impl FnOnce(&Logging)) -> String {
    let output = Output::default();
    let (logging, layer) = Logging::layer(options.with_destination(output.clone())).unwrap();
    tracing::subscriber::with_default(Registry::default().with(layer), || work(&logging));
    assert!(logging.close(SOON));
    output.text()
}

/// The lines that some code writes, as JSON.
pub(crate) fn lines_of(config: &Config, work: impl FnOnce(&Logging)) -> Vec<Map<String, Value>> {
    text_of(config, Options::new().with_terminal(false), work).lines().map(strict).collect()
}

/// The one line that some code writes, as JSON.
pub(crate) fn line_of(work: impl FnOnce()) -> Map<String, Value> {
    let mut lines = lines_of(&Config::default(), |_| work());
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}
