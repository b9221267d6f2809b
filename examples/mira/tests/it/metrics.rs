use core_metrics::{Config, Metrics};
use mira::{Broker, Error};

use crate::broker::{LONG, echo, message, working};

/// MET-1: what an operator wants to know of messages is counted, by type and outcome.
#[tokio::test]
async fn messages_are_counted_by_type_and_outcome() {
    let metrics = Metrics::new(Config::default());
    let broker = Broker::open(mira::broker::Settings::default()).await.expect("a broker");
    let broker = broker.with_metrics(mira::Metrics::new(&metrics).expect("nothing in the way"));
    let holds = |line: &str| metrics.encode().lines().any(|other| other == line);
    assert!(holds(r#"mira_messages_total{message_type="assess_risks",outcome="failed"} 0"#));
    assert!(!metrics.encode().contains("mira_queue_pending"), "nobody has asked the broker");

    broker.submit(message("fail")).await.expect("accepted");
    broker.submit(message("right")).await.expect("accepted");
    broker.check().await.expect("an answer");
    assert!(holds("mira_queue_pending 2") && holds("mira_queue_capacity 1000"));
    assert!(holds(r#"mira_messages_accepted_total{message_type="generate_plan",source="api"} 2"#));

    let workers = working(&broker, 1, |message| {
        let down = Error::Unavailable { reason: "down", source: None };
        std::future::ready(if message.message_id == "fail" {
            Err(down)
        } else {
            Ok(echo(&message))
        })
    });
    broker.wait("right", LONG).await.expect("an answer");
    broker.drain();
    workers.join_all().await;
    broker.check().await.expect("an answer");
    for line in [
        r#"mira_messages_total{message_type="generate_plan",outcome="completed"} 1"#,
        r#"mira_messages_total{message_type="generate_plan",outcome="failed"} 1"#,
        r#"mira_message_retries_total{message_type="generate_plan"} 4"#,
        r#"mira_message_duration_seconds_count{message_type="generate_plan"} 6"#,
        r#"mira_message_wait_seconds_count{message_type="generate_plan"} 2"#,
        "mira_queue_pending 0",
    ] {
        assert!(holds(line), "{line} in\n{}", metrics.encode());
    }
}
