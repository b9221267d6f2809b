//! What is logged. A process of its own, for there is one subscriber to a process.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use core_types::{CorrelationId, InScope as _, RequestId, Scope};
use mira::broker::Settings;
use mira::{Broker, Platform, Reply};
use tokio::task::JoinSet;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, SubscriberExt as _};

/// Writes down each event with the scope it was in.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if !event.metadata().target().starts_with("mira") {
            return;
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        Scope::with_current(|scope| {
            for (name, value) in scope.into_iter().flat_map(Scope::members) {
                write!(line.0, " [{name} {value}]").expect("a string takes it");
            }
        });
        self.0.lock().expect("no panic").push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            name => write!(self.0, " {name}={value:?}").expect("a string takes it"),
        }
    }
}

/// LOG-3: agent, task and workflow ids are on every line of the work they did.
#[tokio::test]
async fn every_line_says_who_works_on_what() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::registry().with(lines.clone());
    tracing::subscriber::set_global_default(subscriber).expect("the only one");
    let broker = Broker::open(Settings::default()).await.expect("a broker");
    let platform = Platform::new(broker).with_ids(|| "m-1".into());
    let mut workers = JoinSet::new();
    workers.spawn(platform.worker());
    let scope = Scope::new(CorrelationId::parse("c-7").expect("an id"))
        .with_request_id(RequestId::parse("r-7").expect("an id"));
    let body = br#"{"message_type": "generate_plan", "data": {"name": "Shop"}}"#;
    let reply = platform.handle_api(body, true).in_scope(scope).await;
    assert!(matches!(reply, Ok(Reply::Completed(_))));
    platform.broker().drain();
    workers.join_all().await;
    assert_eq!(
        lines.0.lock().expect("no panic")[..],
        [
            "Message accepted message_type=\"generate_plan\" message_id=\"m-1\" [correlation_id c-7] [request_id r-7]",
            "Processing message message_type=\"generate_plan\" correlation_id=c-7 [correlation_id c-7] [request_id r-7] [agent_id project-plan-agent] [task_id m-1/generate_plan] [workflow_id m-1]",
            "Plan made plan_id=\"plan-m-1\" tasks=12 [correlation_id c-7] [request_id r-7] [agent_id project-plan-agent] [task_id m-1/plan] [workflow_id m-1]",
            "Risks assessed risks=5 [correlation_id c-7] [request_id r-7] [agent_id risk-assessment-agent] [task_id m-1/risks] [workflow_id m-1]",
            "Report written plan_id=\"plan-m-1\" state=\"at_risk\" [correlation_id c-7] [request_id r-7] [agent_id status-report-agent] [task_id m-1/report] [workflow_id m-1]",
            "Message completed message_type=\"generate_plan\" attempt=1 [correlation_id c-7] [request_id r-7] [agent_id project-plan-agent] [task_id m-1/generate_plan] [workflow_id m-1]",
        ]
    );
}
