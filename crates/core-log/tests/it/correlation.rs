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

fn text<'a>(line: &'a serde_json::Map<String, serde_json::Value>, name: &str) -> Option<&'a str> {
    line.get(name).map(|value| value.as_str().unwrap())
}

/// LOG-2, LOG-3: every line in a span says where it stands in a trace, without an exporter.
#[test]
fn lines_in_spans_have_trace_ids() {
    let lines = lines_of(&Config::default(), |_| {
        info!("outside");
        let outer = info_span!("outer").entered();
        info!("outer");
        info_span!("inner").in_scope(|| info!("inner"));
        info_span!(parent: None, "apart").in_scope(|| info!("apart"));
        drop(outer);
        info_span!("next").in_scope(|| info!("next"));
    });
    let ids = |line: usize| {
        ["trace_id", "span_id", "parent_span_id"].map(|name| text(&lines[line], name))
    };
    assert_eq!(ids(0), [None; 3]);
    let [trace, outer, none] = ids(1);
    assert_eq!((trace.unwrap().len(), outer.unwrap().len(), none), (32, 16, None));
    let [inner_trace, inner, parent] = ids(2);
    assert_eq!((inner_trace, parent), (trace, outer));
    assert_ne!(inner, outer);
    for line in [3, 4] {
        assert_ne!(ids(line)[0], trace);
        assert_eq!(ids(line)[2], None);
    }
}

/// LOG-3: of scope and span the inner one says where a line stands, and what calls from here belong
/// below.
#[test]
fn the_nearest_of_scope_and_span_counts() {
    let trace = TraceContext::root();
    let spans = std::sync::Mutex::new(Vec::new());
    let told = || {
        info!("here");
        spans.lock().unwrap().push(TraceContext::current().unwrap());
    };
    let lines = lines_of(&Config::default(), |logging| {
        let _request = Scope::root().with_trace(trace.clone()).enter();
        told();
        let _span = info_span!("span").entered();
        told();
        // A scope that says nothing of traces leaves the span where it is.
        Scope::child().with_task_id("t").run(told);
        Scope::child().with_trace(trace.child()).run(|| {
            told();
            info_span!("inmost").in_scope(told);
        });
        Scope::root().run(told);
        logging.write(core_log::Record::new(tracing::Level::INFO, "x", "by hand"));
    });
    let spans = spans.into_inner().unwrap();
    for (line, here) in lines.iter().zip(&spans) {
        assert_eq!(text(line, "span_id"), Some(here.span_id().to_string().as_str()));
        assert_eq!(text(line, "trace_id"), Some(trace.trace_id().to_string().as_str()));
    }
    let below = |line: usize| spans[line].parent_span_id();
    assert_eq!(spans[0], trace);
    assert_eq!(below(1), Some(trace.span_id()));
    assert_eq!(spans[2], spans[1]);
    assert_eq!(below(3), Some(trace.span_id()));
    assert_eq!(below(4), Some(spans[3].span_id()));
    assert_eq!(spans[5], spans[1]);
    assert_eq!(lines[6]["span_id"], lines[1]["span_id"]);
    assert_eq!(lines[6]["function"], "span");
}

core_types::scoped! {
    #[scope(task_id = "t")]
    fn scoped() {
        info!("in a scope of its own");
        instrumented();
        info_span!("not a function").in_scope(|| info!("in neither"));
    }
}

#[tracing::instrument]
fn instrumented() {
    info!("in a span of its own");
    core_types::scope!(agent_id = "a").run(|| info!("in a block"));
    inner();
}

core_types::scoped! {
    #[scope(task_id = "t")]
    fn inner() {
        info!("in both");
    }
}

/// LOG-2: `function` is the innermost one that has a span or a scope of its own, else absent.
#[test]
fn every_line_has_its_function() {
    let lines = lines_of(&Config::default(), |_| {
        info!("in none");
        scoped();
    });
    let functions: Vec<_> = lines.iter().map(|line| text(line, "function")).collect();
    let own = ["scoped", "instrumented", "instrumented", "inner", "scoped"].map(Some);
    assert_eq!(functions, [&[None][..], &own].concat());
}
