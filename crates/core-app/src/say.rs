//! The process' own words, beside the log.

use std::io::{self, ErrorKind, Write as _};

use crate::{Error, Exit};

/// Says something on the standard error. If it cannot be said there is nobody to say that to.
pub(crate) fn aside(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Answers a question on the standard output. Whoever reads no further (`| head`) has the answer.
pub(crate) fn answer(text: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != ErrorKind::BrokenPipe => {
            let error = Error::Answer { source };
            aside(&format!("{}\n", core_types::Chain(&error)));
            Exit::failed(error)
        }
        _ => Exit::answered(),
    }
}
