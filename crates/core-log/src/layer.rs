use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

use core_types::Scope;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_log::{NormalizeEvent as _, log};
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::fields::{Fields, Recorder};
use crate::line::{Around, SpanData, write_head, write_thread};
use crate::logging::Core;
#[cfg(feature = "otlp")]
use crate::otlp::Mark;
use crate::place::Place;
use crate::scratch::{self, Scratch};
use crate::site::Site;

/// Turns what `tracing` reports into lines.
pub(crate) struct LogLayer(pub(crate) Arc<Core>);

impl LogLayer {
    /// Renders the fields of a span; with them what is known of its place in the code, and by which
    /// rules.
    fn render(
        &self,
        metadata: &'static Metadata<'static>,
        visit: impl FnOnce(&mut Recorder<'_>),
    ) -> (Fields<'static>, Rc<Site>, u64) {
        let state = self.0.state();
        let rules = &state.rules;
        let site = Site::known(metadata, rules);
        let mut fields = Fields::with_capacity(metadata.fields().len());
        let recorder =
            Recorder { fields: &mut fields, message: None, rules, site: &site, is_bridged: false };
        visit(&mut { recorder });
        (fields, site, rules.generation)
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.0.set_dispatch(dispatch.downgrade());
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let (fields, site, generation) =
            self.render(attributes.metadata(), |recorder| attributes.record(recorder));
        let above = span.parent();
        let above = above.as_ref().map(SpanRef::extensions);
        let above =
            above.as_ref().and_then(|above| above.get()).map(|above: &SpanData| &above.place);
        let is_root = attributes.is_root();
        let place = Scope::with_current(|scope| Place::new(above, is_root, scope, site.function));
        span.extensions_mut().insert(SpanData {
            #[cfg(feature = "otlp")]
            mark: (self.0.exporter().is_some() && place.trace.is_sampled()).then(Mark::now),
            fields,
            generation,
            place,
        });
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // A value may log, or panic, while it is printed: not under the span's lock.
        let (later, ..) = self.render(span.metadata(), |recorder| values.record(recorder));
        if let Some(SpanData { fields, .. }) = span.extensions_mut().get_mut() {
            fields.replace(&later);
        }
    }

    #[cfg(feature = "otlp")]
    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(exporter) = self.0.exporter() else { return };
        let Some(span) = context.span(&id) else { return };
        let data: Option<SpanData> = span.extensions_mut().remove();
        if let Some(SpanData { mark: Some(mark), fields, place, .. }) = data {
            exporter.push(mark.end(span.metadata(), place.trace, fields.into_text()));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let core = &self.0;
        let own = event.metadata();
        let bridged = if is_bridge(own) { event.normalized_metadata() } else { None };
        let metadata = bridged.as_ref().unwrap_or(own);
        // The bridge from `log` has one call site for all targets, so the filter comes again.
        if bridged.is_some() && !core.levels().allow(metadata.target(), *metadata.level()) {
            return;
        }
        let (now, state) = (SystemTime::now(), core.state());
        let rules = &state.rules;
        let site = match &bridged {
            Some(told) => Site::bridged(told, own, rules),
            None => Site::known(own, rules),
        };
        // Whether or not it is written.
        #[cfg(feature = "otlp")]
        if *metadata.level() == tracing::Level::ERROR
            && let Some(span) = context.event_span(event)
            && let Some(SpanData { mark: Some(mark), .. }) = span.extensions().get()
        {
            mark.fail();
        }
        if Core::suppresses(core, (&state, &site), metadata, now) {
            return;
        }
        scratch::with(|scratch| {
            let Scratch { fields, message, line, .. } = &mut *scratch;
            event.record(&mut Recorder {
                fields,
                message: Some(message),
                rules,
                site: &site,
                is_bridged: bridged.is_some(),
            });
            {
                let span = context.event_span(event);
                let extensions = span.as_ref().map(SpanRef::extensions);
                let data = extensions.as_ref().and_then(|kept| kept.get::<SpanData>());
                let place = data.map(|data| &data.place);
                Scope::with_current(|scope| {
                    let function = match place {
                        Some(place) => place.function(scope),
                        None => scope.and_then(Scope::function),
                    };
                    write_head(line, &site, now, message, function);
                    write_thread(line);
                    let ids = place.and_then(|place| place.ids(scope));
                    Around { rules, scope, ids }.write(line, span.as_ref().zip(data), fields);
                });
                line.push_str("}\n");
            }
            // Not under the span's lock.
            core.write_line(&state, metadata, scratch);
        });
    }
}

/// Whether an event comes from the `log` bridge, under whose name the target stands in a field.
fn is_bridge(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "log" && metadata.fields().field("log.target").is_some()
}

/// Which spans and events are of interest. `tracing` keeps the answers, so a disabled event costs a
/// load and a comparison.
pub(crate) struct Gate(pub(crate) Arc<Core>);

impl Gate {
    fn allows(&self, metadata: &Metadata<'_>) -> bool {
        self.0.levels().allow(metadata.target(), *metadata.level())
    }

    fn interest(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.allows(metadata) { Interest::always() } else { Interest::never() }
    }
}

/// For the layer beside others: they may want what the log does not.
impl<S> Filter<S> for Gate {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        // A refusal here without an event to follow would count against the next event, and
        // `log_enabled!` asks without an event to follow.
        metadata.fields().field("log.target").is_some() || self.allows(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.levels().most())
    }
}

/// For the log alone: for all layers at once, which is quicker.
impl<S: Subscriber> Layer<S> for Gate {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.interest(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.allows(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.0.levels().most())
    }
}

/// Takes what third parties report by `log`; answers by the levels alone, so that asking leaves no
/// trace in `tracing`.
pub(crate) struct Bridge(pub(crate) Arc<Core>);

impl log::Log for Bridge {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        use tracing_log::AsTrace as _;
        self.0.levels().allow(metadata.target(), metadata.level().as_trace())
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            // It cannot fail: it only makes an event.
            let _ = tracing_log::format_trace(record);
        }
    }

    fn flush(&self) {}
}
