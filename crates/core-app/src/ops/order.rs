use core_http::Failure;
use core_log::audit::Entry;
use http::request::Parts;

use super::LOG;
use super::answer::caller;
use crate::Host;
use crate::blocking::blocking;

/// Writes down that somebody with the right to has given an order, before it is carried out. Where
/// an audit is wanted, an order that leaves no trace is none.
pub(super) async fn write<A>(
    host: &Host<A>,
    parts: &Parts,
    action: &'static str,
    details: &[(&str, &str)],
) -> Result<(), Failure> {
    let Some(audit) = host.audit().cloned() else { return Ok(()) };
    let entry = Entry::new("operator", action).with_text("client", caller(parts));
    let entry = details.iter().fold(entry, |entry, (name, text)| entry.with_text(*name, *text));
    let scope = core_types::Scope::current();
    let record = move || match scope {
        Some(scope) => scope.run(|| audit.record(&entry)),
        None => audit.record(&entry),
    };
    let written = blocking(record).await.map_err(Failure::internal)?;
    let head = written.map_err(|error| {
        Failure::unavailable("the order cannot be audited, and was not carried out")
            .with_source(error)
    })?;
    // Told where whoever changes the file cannot reach.
    tracing::info!(target: LOG, action, head = %head, "audited");
    Ok(())
}
