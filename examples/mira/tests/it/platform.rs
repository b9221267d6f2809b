use std::sync::atomic::{AtomicU32, Ordering};

use core_types::{CorrelationId, InScope as _, Scope, Secret};
use mira::broker::{Settings, Status};
use mira::webhook::{Delivery, Provider};
use mira::{Answer, Broker, Error, GitHub, Integrations, Kind, Platform, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::broker::Place;
use crate::support::{noon, request};

/// A platform whose clock stands still and whose messages are numbered.
async fn platform(settings: Settings) -> Platform {
    let broker = Broker::open(settings).await.expect("a broker");
    let count = AtomicU32::new(0);
    Platform::new(broker)
        .with_clock(noon)
        .with_ids(move || format!("m-{}", count.fetch_add(1, Ordering::SeqCst) + 1))
}

fn workers(platform: &Platform) -> JoinSet<()> {
    let mut workers = JoinSet::new();
    for _ in 0..platform.broker().settings().workers {
        workers.spawn(platform.worker());
    }
    workers
}

#[track_caller]
fn completed(reply: Result<Reply, Error>) -> (Answer, Value) {
    match reply {
        Ok(Reply::Completed(answer)) => {
            let result = answer.result.as_ref().expect("a result").get();
            let result = serde_json::from_str(result).expect("JSON");
            (answer, result)
        }
        other => panic!("expected a result, not {other:?}"),
    }
}

fn parts(result: &Value) -> Vec<&str> {
    result.as_object().expect("a table").keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_brief_becomes_a_plan_with_risks_and_a_report() {
    let platform = platform(Settings::default()).await;
    let _workers = workers(&platform);
    let data = json!({ "name": "Shop", "goals": ["Sell 100"], "team": ["Ada"] });
    let scope = Scope::root().with_correlation_id(CorrelationId::parse("c-7").expect("an id"));
    let body = request("generate_plan", &data);
    let reply = platform.handle_api(&body, true).in_scope(scope).await;
    let (answer, result) = completed(reply);
    let answer = serde_json::to_value(&answer).expect("JSON");
    assert_eq!(parts(&answer), ["correlation_id", "message_id", "result", "status"]);
    assert_eq!(
        (&answer["message_id"], &answer["correlation_id"], &answer["status"]),
        (&json!("m-1"), &json!("c-7"), &json!("completed"))
    );
    assert_eq!(parts(&result), ["plan", "report", "risks"]);
    assert_eq!(result["plan"]["plan_id"], "plan-m-1");
    assert_eq!(result["plan"]["start_date"], "2026-01-05", "the day on which it was received");
    assert_eq!(result["report"]["plan_id"], "plan-m-1");
    assert_eq!(result["risks"][0]["id"], "small-team");
}

#[tokio::test]
async fn each_type_gives_its_parts_of_a_brief_and_of_a_plan() {
    let platform = platform(Settings::default()).await;
    let _workers = workers(&platform);
    let brief = json!({ "name": "Shop" });
    let plan = json!({ "plan_id": "plan-m-1" });
    completed(platform.handle_api(&request("generate_plan", &brief), true).await);
    for (message_type, expected) in [
        ("assess_risks", &["risks"][..]),
        ("generate_report", &["plan", "report"]),
        ("orchestrate", &["plan", "report", "risks"]),
    ] {
        for data in [&brief, &plan] {
            let reply = platform.handle_api(&request(message_type, data), true).await;
            let (answer, result) = completed(reply);
            assert_eq!(parts(&result), expected, "{message_type} {data}");
            if expected.contains(&"plan") {
                let made = format!("plan-{}", answer.message_id);
                let id = if data == &plan { "plan-m-1" } else { &made };
                assert_eq!(result["plan"]["plan_id"], id);
            }
        }
    }
}

#[tokio::test]
async fn who_does_not_wait_asks_later() {
    let platform = platform(Settings::default()).await;
    let body = request("orchestrate", &json!({ "name": "Shop" }));
    let Ok(Reply::Accepted(answer)) = platform.handle_api(&body, false).await else {
        panic!("expected to be told where to ask")
    };
    assert_eq!((answer.status, answer.location().as_str()), (Status::Queued, "/api/messages/m-1"));
    assert_eq!(platform.message_state("m-1").await.expect("known").status, Status::Queued);
    let _workers = workers(&platform);
    platform.broker().wait("m-1", std::time::Duration::from_secs(30)).await.expect("an answer");
    let answer = platform.message_state("m-1").await.expect("known");
    assert_eq!(answer.status, Status::Completed);
    assert!(answer.result.is_some());
    let error = platform.message_state("m-2").await.expect_err("unknown");
    assert_eq!((error.kind(), error.details()["what"].as_str()), (Kind::NotFound, Some("message")));
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_where_to_ask() {
    let platform = platform(Settings::default()).await;
    let body = request("orchestrate", &json!({ "name": "Shop" }));
    let Ok(Reply::Accepted(answer)) = platform.handle_api(&body, true).await else {
        panic!("nobody works")
    };
    assert_eq!(answer.status, Status::Queued);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_and_nothing_is_kept() {
    let mut settings = Settings::default();
    (settings.capacity, settings.store.max_count) = (1, 1);
    let platform = platform(settings).await;
    let kind =
        async |body: Vec<u8>| platform.handle_api(&body, true).await.expect_err("wrong").kind();
    assert_eq!(kind(b"nonsense".to_vec()).await, Kind::Invalid);
    assert_eq!(kind(vec![b' '; 256 * 1024 + 1]).await, Kind::TooLarge);
    assert_eq!(kind(request("paint", &json!({}))).await, Kind::UnknownType);
    assert_eq!(kind(request("orchestrate", &json!({ "plan_id": "plan-9" }))).await, Kind::NotFound);
    assert_eq!(kind(request("orchestrate", &json!({ "plan_id": "*.>" }))).await, Kind::NotFound);
    assert_eq!(platform.broker().check().await.expect("up").pending, 0);
    let body = request("orchestrate", &json!({ "name": "Shop" }));
    platform.handle_api(&body, false).await.expect("accepted");
    assert_eq!(kind(body).await, Kind::Unavailable, "full");
}

/// A plan that goes while the message waits.
#[tokio::test]
async fn a_message_that_comes_to_nothing_says_why() {
    let mut settings = Settings::default();
    settings.store.max_bytes = core_types::ByteSize::from_mebibytes(1);
    let platform = platform(settings).await;
    let first = workers(&platform);
    let brief = json!({ "name": "Shop" });
    completed(platform.handle_api(&request("generate_plan", &brief), true).await);
    drop(first);
    let body = request("generate_report", &json!({ "plan_id": "plan-m-1" }));
    let Ok(Reply::Accepted(answer)) = platform.handle_api(&body, false).await else {
        panic!("accepted")
    };
    let goals: Vec<String> = (0..50).map(|i| format!("{i}{}", "x".repeat(400))).collect();
    for i in 0..20 {
        let brief = mira::brief::Brief { goals: goals.clone(), ..crate::support::brief(&brief) };
        let other = mira::Project::plan(brief, format!("plan-other-{i}"));
        platform.broker().put_plan(&other).await.expect("kept");
    }
    let _workers = workers(&platform);
    let time = std::time::Duration::from_secs(30);
    platform.broker().wait(&answer.message_id, time).await.expect("an answer");
    let answer = platform.message_state(&answer.message_id).await.expect("known");
    assert_eq!(answer.status, Status::Failed);
    let error = serde_json::to_value(answer.error.expect("why")).expect("JSON");
    let message = "no plan `plan-m-1` is known";
    let details = json!({ "what": "plan", "id": "plan-m-1" });
    assert_eq!(error, json!({ "code": "NOT_FOUND", "message": message, "details": details }));
}

const BODY: &[u8] =
    b"{\"webhookEvent\":\"jira:issue_created\",\"issue\":{\"fields\":{\"summary\":\"Shop\"}}}";
/// `hmac.new(b"hush", BODY, "sha256").hexdigest()` in Python.
const SIGNED: &str = "sha256=9f0f1ea185cd58c21b35364b2e3bbb06a58c7930dd36184ef4ced19876631423";

fn delivery(id: Option<&'static str>) -> Delivery<'static> {
    Delivery { signature: Some(SIGNED), id, event: None, body: BODY }
}

fn message_id(reply: &Reply) -> &str {
    match reply {
        Reply::Completed(answer) | Reply::Accepted(answer) | Reply::Duplicate(answer) => {
            &answer.message_id
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_seen_twice_is_done_once() {
    let places = [Some(Place::memory()), Place::nats()];
    for place in places.iter().flatten() {
        let platform = platform(place.settings()).await;
        let _workers = workers(&platform);
        let secret = Some(Secret::from("hush"));
        let send = async |id| {
            platform.handle_webhook(Provider::Jira, secret.as_ref(), &delivery(id)).await
        };
        let first = send(Some("d-1")).await.expect("accepted");
        assert!(matches!(&first, Reply::Accepted(answer) if answer.status == Status::Queued));
        let id = message_id(&first);
        platform.broker().wait(id, std::time::Duration::from_secs(30)).await.expect("an answer");
        let again = send(Some("d-1")).await.expect("accepted");
        assert!(matches!(&again, Reply::Duplicate(answer) if answer.result.is_none()));
        assert_eq!(message_id(&again), id);
        let other = send(Some("d-2")).await.expect("accepted");
        assert!(matches!(&other, Reply::Accepted(_)));
        // Without an id the body counts.
        assert!(matches!(send(None).await.expect("accepted"), Reply::Accepted(_)));
        assert!(matches!(send(None).await.expect("accepted"), Reply::Duplicate(_)));

        let answer = platform.message_state(id).await.expect("known");
        let result: Value = serde_json::from_str(answer.result.expect("done").get()).expect("JSON");
        assert_eq!(parts(&result), ["event", "plan", "report", "risks"]);
        assert_eq!(result["plan"]["name"], "Shop");
    }
}

/// The sender was cut off between the claim and the message: nothing is lost, and nothing is done
/// twice.
#[tokio::test]
async fn a_delivery_that_was_cut_off_is_taken_up_again() {
    let platform = platform(Settings::default()).await;
    let key = mira::webhook::delivery_key(Provider::Jira, &delivery(Some("d-1")));
    platform.broker().claim(&key, "m-first").await.expect("claimed");
    let secret = Some(Secret::from("hush"));
    let again = delivery(Some("d-1"));
    let send = || platform.handle_webhook(Provider::Jira, secret.as_ref(), &again);
    let reply = send().await.expect("accepted");
    assert!(matches!(reply, Reply::Accepted(_)));
    assert_eq!(message_id(&reply), "m-first");
    assert!(matches!(send().await.expect("accepted"), Reply::Duplicate(_)));
    assert_eq!(platform.broker().check().await.expect("up").pending, 1);
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_forgotten() {
    let platform = platform(Settings::default()).await;
    let secret = Some(Secret::from("hush"));
    let kind = async |secret: Option<&Secret<String>>, delivery: Delivery<'_>| {
        platform.handle_webhook(Provider::Jira, secret, &delivery).await.expect_err("wrong").kind()
    };
    assert_eq!(kind(None, delivery(None)).await, Kind::NotFound);
    assert_eq!(kind(Some(&" ".into()), delivery(None)).await, Kind::NotFound);
    assert_eq!(kind(Some(&"other".into()), delivery(None)).await, Kind::Unauthorized);
    let unsigned = Delivery { signature: None, ..delivery(None) };
    assert_eq!(kind(secret.as_ref(), unsigned).await, Kind::Unauthorized);
    assert_eq!(platform.broker().check().await.expect("up").pending, 0);
    // What was refused counts as never seen.
    let reply = platform.handle_webhook(Provider::Jira, secret.as_ref(), &delivery(None)).await;
    assert!(matches!(reply, Ok(Reply::Accepted(_))));
}

#[tokio::test]
async fn an_event_without_a_project_is_recorded() {
    let platform = platform(Settings::default()).await;
    let _workers = workers(&platform);
    let body = br#"{"zen":"Design for failure."}"#;
    let delivery = Delivery {
        // `hmac.new(b"hush", body, "sha256").hexdigest()` in Python.
        signature: Some("sha256=991cabe7102508820b8c2da0c1187bf263e089e716fd2a4f93fb1801971371dc"),
        id: None,
        event: Some("ping"),
        body,
    };
    let secret = Secret::from("hush");
    let reply = platform.handle_webhook(Provider::Github, Some(&secret), &delivery).await;
    let reply = reply.expect("accepted");
    let time = std::time::Duration::from_secs(30);
    platform.broker().wait(message_id(&reply), time).await.expect("an answer");
    let answer = platform.message_state(message_id(&reply)).await.expect("known");
    let result: Value = serde_json::from_str(answer.result.expect("done").get()).expect("JSON");
    assert_eq!(result, json!({ "event": { "provider": "github", "name": "ping" } }));
}

#[test]
fn a_kind_is_written_as_its_code() {
    for kind in [
        Kind::Invalid,
        Kind::UnknownType,
        Kind::TooLarge,
        Kind::NotFound,
        Kind::Unauthorized,
        Kind::Unavailable,
        Kind::Internal,
    ] {
        assert_eq!(serde_json::to_value(kind).expect("JSON"), kind.code());
    }
}

/// SEC-6: no secret of the settings is written or printed.
#[test]
fn settings_keep_their_secrets() {
    let integrations: Integrations = serde_json::from_value(json!({
        "github": { "enabled": true, "token": "canary-1", "webhook_secret": "canary-2" },
        "jira": { "enabled": false, "api_token": "canary-3", "webhook_secret": "canary-4" },
    }))
    .expect("settings");
    assert_eq!(integrations.github.secret(), Some(&"canary-2".into()));
    assert_eq!(integrations.jira.secret(), None, "switched off");
    let unsaid: GitHub =
        serde_json::from_value(json!({ "webhook_secret": "canary-7" })).expect("settings");
    assert!(unsaid.secret().is_some() && !unsaid.is_wanted());
    let broker: Settings =
        serde_json::from_value(json!({ "nats": { "password": "canary-5", "token": "canary-6" } }))
            .expect("settings");
    let written = serde_json::to_string(&(&integrations, &broker)).expect("JSON");
    assert!(!format!("{integrations:?} {broker:?} {written}").contains("canary"));
    let schema = schemars::schema_for!(Integrations).to_value();
    let field = |path: &str| schema.pointer(&format!("/$defs/{path}")).expect("a field").clone();
    assert_eq!(field("GitHub/properties/enabled/x-short"), json!(["GITHUB_ENABLED"]));
    assert_eq!(field("GitHub/properties/webhook_secret/x-short"), json!(["GITHUB_WEBHOOK_SECRET"]));
    assert_eq!(field("GitHub/properties/token/x-env"), json!(["GITHUB_TOKEN"]));
    assert_eq!(field("Jira/properties/enabled/x-short"), json!(["JIRA_ENABLED"]));
    assert_eq!(field("Jira/properties/webhook_secret/x-short"), json!(["JIRA_WEBHOOK_SECRET"]));
    assert_eq!(field("Jira/properties/api_token/x-env"), json!(["JIRA_API_TOKEN"]));
    assert_eq!(field("Jira/properties/api_token/writeOnly"), json!(true));
}
