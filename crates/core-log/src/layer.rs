use std::sync::Arc;

use core_types::{Scope, Timestamp};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::fields::{Fields, Recorder};
use crate::logging::Core;
use crate::record::{Record, thread_name};

/// Turns what `tracing` reports into lines.
pub(crate) struct LogLayer(pub(crate) Arc<Core>);

/// The rendered fields of a span, kept with it.
struct SpanFields(Fields);

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        record(&mut fields, &self.0, |recorder| attributes.record(recorder));
        span.extensions_mut().insert(SpanFields(fields));
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(SpanFields(fields)) = span.extensions_mut().get_mut() {
            record(fields, &self.0, |recorder| values.record(recorder));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let bridged = event.normalized_metadata();
        let metadata = bridged.as_ref().unwrap_or_else(|| event.metadata());
        // The bridge from `log` has one call site for all targets, so the filter comes again.
        if bridged.is_some() && !self.0.levels().allow(metadata.target(), *metadata.level()) {
            return;
        }
        let (mut fields, mut message) = (Fields::default(), String::new());
        let rules = &self.0.format().rules;
        event.record(&mut Recorder { fields: &mut fields, message: Some(&mut message), rules });
        let spans: Vec<_> = context.event_scope(event).into_iter().flatten().collect();
        let function = spans.first().map(|span| span.metadata().name());
        let extensions: Vec<_> = spans.iter().map(|span| span.extensions()).collect();
        let span_fields = extensions.iter().filter_map(|extensions| {
            extensions.get::<SpanFields>().map(|SpanFields(fields)| fields.clone())
        });
        let record = Record {
            time: Timestamp::now(),
            level: *metadata.level(),
            target: metadata.target().to_owned().into(),
            message,
            module: metadata.module_path().map(|module| module.to_owned().into()),
            function,
            file: metadata.file().map(|file| file.to_owned().into()),
            line: metadata.line(),
            thread: thread_name(&std::thread::current()),
            scope: Scope::current(),
            spans: span_fields.collect(),
            fields,
        };
        self.0.write(record);
    }
}

fn record(fields: &mut Fields, core: &Core, visit: impl FnOnce(&mut Recorder<'_>)) {
    let format = core.format();
    visit(&mut Recorder { fields, message: None, rules: &format.rules });
}

/// Which spans and events reach the layer. Swapped as a whole; `tracing` caches its answers, so a
/// disabled event costs a load and a comparison.
pub(crate) struct LevelsFilter(pub(crate) Arc<Core>);

impl<S> Filter<S> for LevelsFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.levels().allow(metadata.target(), *metadata.level())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        // The call sites of the `log` bridge stand for every target.
        if metadata.target() == "log" {
            return Interest::sometimes();
        }
        if self.0.levels().allow(metadata.target(), *metadata.level()) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.levels().most())
    }
}
