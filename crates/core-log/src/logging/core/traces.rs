//! The export of spans.

use std::sync::Arc;

use super::{Core, OWN_TARGET, lock};
use crate::otlp::Exporter;
use crate::{Error, Record, place, scrub};

impl Core {
    pub(in crate::logging) fn export(
        core: &Arc<Self>,
        config: crate::otlp::Config,
    ) -> Result<(), Error> {
        let _control = lock(&core.control);
        if core.exporter.get().is_some() {
            return Err(Error::Traces("they are exported already".into()));
        }
        let sampler = config.sampler;
        let exporter = Exporter::start(config, Arc::downgrade(core))?;
        // Nobody else sets it meanwhile, nor decides otherwise later.
        let _ = place::SAMPLER.set(sampler);
        let _ = core.exporter.set(exporter);
        Ok(())
    }

    pub(crate) fn exporter(&self) -> Option<&Exporter> {
        self.exporter.get()
    }

    /// Tells of the export in the log itself.
    pub(crate) fn tell(&self, message: &str, error: Option<&str>) {
        let level = if error.is_some() { tracing::Level::WARN } else { tracing::Level::INFO };
        let record = Record::new(level, OWN_TARGET, message);
        self.write(&match error {
            Some(error) => record.with_text("error", error),
            None => record,
        });
    }

    /// Fields, `,"name":value`, as an object that hides what the rules hide.
    pub(crate) fn cleaned(&self, fields: &str) -> String {
        let line = format!("{{{}}}", fields.strip_prefix(',').unwrap_or(fields));
        let mut out = String::new();
        scrub::clean(&mut out, &line, &self.state.load().rules);
        out
    }
}
