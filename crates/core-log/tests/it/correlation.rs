use core_types::{CorrelationId, InScope as _, RequestId, Scope, TraceContext};
use tracing::{info, info_span};

use core_log::Config;

use crate::output::{line_of, lines_of};

/// LOG-3: every line inside a scope has what the scope carries.
#[test]
fn every_line_of_a_scope_has_its_ids() {
    let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = TraceContext::parse(header, None).unwrap().child();
    let span_id = trace.span_id().to_string();
    let line = line_of(|| {
        Scope::root()
            .with_correlation_id(CorrelationId::parse("c-1").unwrap())
            .with_request_id(RequestId::parse("r-1").unwrap())
            .with_agent_id("agent")
            .with_task_id("task")
            .with_workflow_id("workflow")
            .with_user_id("user")
            .with_field("tenant", "blue")
            .with_trace(trace)
            .run(|| info!("inside"));
    });
    for (name, value) in [
        ("correlation_id", "c-1"),
        ("request_id", "r-1"),
        ("agent_id", "agent"),
        ("task_id", "task"),
        ("workflow_id", "workflow"),
        ("user_id", "user"),
        ("tenant", "blue"),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("span_id", span_id.as_str()),
        ("parent_span_id", "b7ad6b7169203331"),
    ] {
        assert_eq!(line[name], value, "{name}");
    }
}

/// LOG-3: a line made by hand belongs to the scope it was made in, wherever it is written.
#[test]
fn a_record_keeps_its_scope() {
    let lines = lines_of(&Config::default(), |logging| {
        let record = Scope::root()
            .with_agent_id("agent")
            .run(|| core_log::Record::new(tracing::Level::INFO, "x", "m"));
        logging.write(record);
    });
    assert_eq!(lines[0]["agent_id"], "agent");
}

/// LOG-3: scopes nest, and an event's own field is nearer than the scope's.
#[test]
fn the_nearest_wins() {
    let lines = lines_of(&Config::default(), |_| {
        Scope::root().with_agent_id("outer").with_field("kind", "scope").run(|| {
            Scope::child().with_agent_id("inner").run(|| info!("one"));
            let _span = info_span!("span", kind = "span").entered();
            info!("two");
            info!(kind = "event", agent_id = "event", "three");
        });
        info!("four");
    });
    let value = |line: usize, name: &str| lines[line].get(name).and_then(|value| value.as_str());
    assert_eq!(value(0, "agent_id"), Some("inner"));
    assert_eq!(value(0, "kind"), Some("scope"));
    assert_eq!(value(1, "agent_id"), Some("outer"));
    assert_eq!(value(1, "kind"), Some("span"));
    assert_eq!(value(2, "agent_id"), Some("event"));
    assert_eq!(value(2, "kind"), Some("event"));
    assert_eq!(value(3, "correlation_id"), None);
    assert_eq!(value(0, "correlation_id"), value(2, "correlation_id"));
}

/// LOG-3: through async code, spawned tasks and threads.
#[test]
fn a_scope_follows_the_work() {
    let lines = lines_of(&Config::default(), |_| {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let scope = Scope::root().with_task_id("t");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let with_log = |work: &dyn Fn()| tracing::dispatcher::with_default(&dispatch, work);
        runtime.block_on(async {
            let in_task = async {
                tokio::task::yield_now().await;
                with_log(&|| info!("future"));
            };
            in_task.in_scope(scope.clone()).await;
            with_log(&|| info!("outside"));
        });
        let inside = scope.clone();
        let log = dispatch.clone();
        runtime.spawn_blocking(move || {
            inside.run(|| tracing::dispatcher::with_default(&log, || info!("thread")));
        });
        drop(runtime);
    });
    let task = |line: usize| lines[line].get("task_id").and_then(|value| value.as_str());
    assert_eq!(lines.len(), 3);
    assert_eq!((task(0), task(1), task(2)), (Some("t"), None, Some("t")));
}
