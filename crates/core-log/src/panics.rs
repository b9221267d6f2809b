use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::time::Duration;

use crate::logging::Core;
use crate::record::Record;

/// A panic may be the last thing a process does, so its line is awaited, but not for ever.
const FLUSH: Duration = Duration::from_secs(1);

/// Makes every panic a line of the log, in the place of the standard library's text.
pub(crate) fn install(core: &Arc<Core>) {
    let core = Arc::clone(core);
    std::panic::set_hook(Box::new(move |info| write(&core, info)));
}

fn write(core: &Core, info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a panic without a message");
    let rules = &core.format().rules;
    let cut = message.floor_char_boundary(rules.max_value.min(message.len()));
    let mut record = Record::new(tracing::Level::ERROR, "panic", &message[..cut]);
    if let Some(location) = info.location() {
        record.file = Some(location.file().to_owned().into());
        record.line = Some(location.line());
    }
    record.push_text("backtrace", &Backtrace::force_capture().to_string(), rules);
    core.write(record);
    core.flush(FLUSH);
}
