//! Correlation: every line inside a scope carries what the scope knows.

use core_app::types::{CorrelationId, Scope};
use tracing::{info, instrument};

pub(crate) fn show() {
    let correlation_id = CorrelationId::generate();
    let _entered = Scope::new(correlation_id).with_workflow_id("nightly").enter();
    info!("begins");
    // Refined for a part of the work, by closure; `in_scope` does the same for a future.
    Scope::child().with_agent_id("agent_1").with_task_id("task_123").run(|| plan("ship it"));
    // A thread takes part by being handed the scope.
    let scope = Scope::child().with_field("attempt", "2");
    std::thread::scope(|threads| {
        threads.spawn(|| scope.run(|| info!("works on a thread of its own")));
    });
}

#[instrument]
fn plan(goal: &str) {
    info!("plans");
}
