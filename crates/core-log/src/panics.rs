use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::sync::Arc;

use crate::Record;
use crate::logging::Core;

/// Makes every panic a line of the log, in the place of the standard library's text.
pub(crate) fn install(core: &Arc<Core>) {
    let core = Arc::clone(core);
    std::panic::set_hook(Box::new(move |info| core.write_panic(&record(info))));
}

fn record(info: &PanicHookInfo<'_>) -> Record {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    let backtrace = Backtrace::force_capture().to_string();
    let mut record = Record::new(tracing::Level::ERROR, "panic", message);
    record.place = info.location().map(|place| (place.file().to_owned(), place.line()));
    record.with_text("backtrace", &backtrace)
}
