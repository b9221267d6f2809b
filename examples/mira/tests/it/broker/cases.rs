use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_types::{Baggage, RequestId, Scope, TraceContext};
use mira::broker::{Claim, Load, Status};
use mira::message::Origin;
use mira::plan::Project;
use mira::{Error, Kind};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{LONG, Place, echo, echoing, message, until, working};

pub(crate) async fn a_thousand_messages_are_each_done_once(place: Place) {
    let broker = place.open(place.settings()).await;
    let done: Arc<Mutex<HashMap<String, u32>>> = Arc::default();
    let counts = Arc::clone(&done);
    let workers = working(&broker, 8, move |message| {
        *counts.lock().expect("no panic").entry(message.message_id.clone()).or_default() += 1;
        std::future::ready(Ok(echo(&message)))
    });
    let mut callers = JoinSet::new();
    for caller in 0..10 {
        let broker = broker.clone();
        callers.spawn(async move {
            for i in 0..100 {
                let id = format!("m-{caller}-{i}");
                broker.submit(message(&id)).await.expect("accepted");
                let record = broker.wait(&id, LONG).await.expect("an answer").expect("known");
                assert_eq!(record.status, Status::Completed);
                assert_eq!(record.result.as_ref().map(|r| r.get()), Some(&*format!("{id:?}")));
            }
        });
    }
    callers.join_all().await;
    broker.drain();
    workers.join_all().await;
    let done = done.lock().expect("no panic");
    assert_eq!(done.len(), 1_000);
    assert!(done.values().all(|times| *times == 1), "{done:?}");
}

pub(crate) async fn accepted_means_stored(place: Place) {
    let broker = place.open(place.settings()).await;
    assert!(broker.record("m-1").await.expect("an answer").is_none());
    broker.submit(message("m-1")).await.expect("accepted");
    let record = broker.record("m-1").await.expect("an answer").expect("known");
    assert_eq!((record.status, record.correlation_id.as_str()), (Status::Queued, "c-1"));
    assert!(record.result.is_none() && record.error.is_none());

    // Once more is the same once.
    broker.submit(message("m-1")).await.expect("accepted");
    assert_eq!(broker.check().await.expect("an answer").pending, 1);
    let _workers = echoing(&broker, 1);
    let record = broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed);
    broker.submit(message("m-1")).await.expect("accepted");
    let record = broker.record("m-1").await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed, "and after it is done, too");
}

pub(crate) async fn a_full_queue_takes_no_more(place: Place) {
    let mut settings = place.settings();
    settings.capacity = 3;
    let broker = place.open(settings).await;
    for id in ["m-1", "m-2", "m-3"] {
        broker.submit(message(id)).await.expect("accepted");
    }
    let error = broker.submit(message("m-4")).await.expect_err("full");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.to_string().starts_with("as many messages wait as may"), "{error}");
    assert!(broker.record("m-4").await.expect("an answer").is_none(), "as if it had never come");

    let workers = echoing(&broker, 1);
    for id in ["m-1", "m-2", "m-3"] {
        broker.wait(id, LONG).await.expect("an answer").expect("known");
    }
    // With NATS there is place once the worker's acknowledgement has arrived.
    until(async || super::pending(&broker).await < 3).await;
    broker.submit(message("m-4")).await.expect("accepted");
    let record = broker.wait("m-4", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed);
    drop(workers);
}

pub(crate) async fn too_long_a_message_is_refused(place: Place) {
    let mut settings = place.settings();
    settings.max_payload = core_types::ByteSize::from_bytes(1024);
    let broker = place.open(settings).await;
    let mut long = message("m-1");
    long.data = mira::message::Data::PlanId("x".repeat(2_000));
    let error = broker.submit(long).await.expect_err("too long");
    assert_eq!((error.kind(), &error.details()["limit"]), (Kind::TooLarge, &1024.into()));
    broker.submit(message("m-2")).await.expect("accepted");
}

pub(crate) async fn what_a_dead_worker_had_in_hand_is_done_by_another(place: Place) {
    let mut settings = place.settings();
    settings.nats.ack_wait = Duration::from_secs(1).into();
    let broker = place.open(settings).await;
    broker.submit(message("m-1")).await.expect("accepted");
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let stuck = working(&broker, 1, move |_| {
        begun.send(()).expect("somebody listens");
        pending()
    });
    has_begun.recv().await.expect("it has begun");
    let record = broker.record("m-1").await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Running);
    drop(stuck);

    let _workers = echoing(&broker, 1);
    let record = broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed);
}

pub(crate) async fn a_message_that_kills_its_workers_is_given_up(place: Place) {
    let mut settings = place.settings();
    settings.max_attempts = 2;
    settings.nats.ack_wait = Duration::from_secs(1).into();
    let broker = place.open(settings).await;
    broker.submit(message("m-1")).await.expect("accepted");
    for _ in 0..2 {
        let (begun, mut has_begun) = mpsc::unbounded_channel();
        let _stuck = working(&broker, 1, move |_| {
            begun.send(()).expect("somebody listens");
            pending()
        });
        has_begun.recv().await.expect("it has begun");
    }
    let _workers = echoing(&broker, 1);
    let record = broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Failed);
    let error = record.error.as_ref().expect("a failure");
    assert_eq!((error.kind, &*error.message), (Kind::Internal, "given up after too many attempts"));
}

pub(crate) async fn what_cannot_be_done_now_is_tried_again(place: Place) {
    let mut settings = place.settings();
    settings.max_attempts = 3;
    let broker = place.open(settings).await;
    let attempts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&attempts);
    let _workers = working(&broker, 2, move |message| {
        let attempt = count.fetch_add(1, Ordering::SeqCst) + 1;
        let is_up = message.message_id == "m-1" && attempt == 3;
        let down = Error::Unavailable { reason: "down", source: None };
        std::future::ready(if is_up { Ok(echo(&message)) } else { Err(down) })
    });
    broker.submit(message("m-1")).await.expect("accepted");
    let record = broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    assert_eq!((record.status, attempts.load(Ordering::SeqCst)), (Status::Completed, 3));

    broker.submit(message("m-2")).await.expect("accepted");
    let record = broker.wait("m-2", LONG).await.expect("an answer").expect("known");
    assert_eq!((record.status, attempts.load(Ordering::SeqCst)), (Status::Failed, 6));
    assert_eq!(record.error.as_ref().map(|error| error.kind), Some(Kind::Unavailable));
}

pub(crate) async fn a_failure_is_kept_with_the_message(place: Place) {
    let broker = place.open(place.settings()).await;
    let _workers = working(&broker, 1, |message| async move {
        match &*message.message_id {
            "panic" => panic!("on purpose"),
            "fail" => Err(Error::NotFound { what: "plan", id: "plan-9".into() }),
            _ => Ok(echo(&message)),
        }
    });
    for id in ["panic", "fail", "right"] {
        broker.submit(message(id)).await.expect("accepted");
    }
    // The same worker goes on after a panic.
    let record = broker.wait("right", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed);
    let record = broker.record("panic").await.expect("an answer").expect("known");
    let error = record.error.as_ref().expect("a failure");
    assert_eq!((error.kind, &*error.message), (Kind::Internal, "an agent panicked"));
    let record = broker.record("fail").await.expect("an answer").expect("known");
    let error = record.error.as_ref().expect("a failure");
    assert_eq!((error.kind, &*error.message), (Kind::NotFound, "no plan `plan-9` is known"));
    assert_eq!(error.details["id"], "plan-9");
}

pub(crate) async fn waiting_ends_with_the_result_or_with_the_time(place: Place) {
    let broker = place.open(place.settings()).await;
    broker.submit(message("m-1")).await.expect("accepted");
    let short = Duration::from_millis(20);
    let record = broker.wait("m-1", short).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Queued, "nobody works yet");
    assert!(broker.wait("m-9", LONG).await.expect("an answer").is_none(), "no need to wait");

    let mut waiting = JoinSet::new();
    for _ in 0..20 {
        let broker = broker.clone();
        waiting.spawn(async move { broker.wait("m-1", LONG).await });
    }
    tokio::task::yield_now().await;
    let _workers = echoing(&broker, 1);
    for record in waiting.join_all().await {
        assert_eq!(record.expect("an answer").expect("known").status, Status::Completed);
    }
    let record = broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    assert_eq!(record.status, Status::Completed, "and at once when it is done");
}

pub(crate) async fn the_oldest_results_go_first(place: Place) {
    let mut settings = place.settings();
    (settings.capacity, settings.store.max_count) = (5, 5);
    let broker = place.open(settings).await;
    let _workers = echoing(&broker, 1);
    for i in 0..8 {
        let id = format!("m-{i}");
        broker.submit(message(&id)).await.expect("accepted");
        broker.wait(&id, LONG).await.expect("an answer").expect("known");
        until(async || super::pending(&broker).await == 0).await;
    }
    for i in 0..8 {
        let record = broker.record(&format!("m-{i}")).await.expect("an answer");
        assert_eq!(record.is_some(), i >= 3, "m-{i}");
    }
}

pub(crate) async fn of_many_claims_one_is_the_first(place: Place) {
    let broker = place.open(place.settings()).await;
    let mut claims = JoinSet::new();
    for i in 0..20 {
        let broker = broker.clone();
        let id = format!("m-{i}");
        claims.spawn(async move {
            (id.clone(), broker.claim("github.id.1", &id).await.expect("an answer"))
        });
    }
    let claims = claims.join_all().await;
    let first: Vec<&String> =
        claims.iter().filter(|(_, claim)| *claim == Claim::New).map(|(id, _)| id).collect();
    assert_eq!(first.len(), 1, "{claims:?}");
    let seen = |is_confirmed| Claim::Seen { message_id: first[0].clone(), is_confirmed };
    assert_eq!(claims.iter().filter(|(_, claim)| *claim == seen(false)).count(), 19);

    broker.confirm("github.id.1", first[0]).await.expect("an answer");
    assert_eq!(broker.claim("github.id.1", "m-99").await.expect("an answer"), seen(true));
    assert_eq!(broker.claim("jira.id.1", "m-99").await.expect("an answer"), Claim::New);
}

pub(crate) async fn plans_are_kept(place: Place) {
    let broker = place.open(place.settings()).await;
    let brief = crate::support::brief(&serde_json::json!({ "name": "Shop", "goals": ["Sell"] }));
    let project = Project::plan(brief, "plan-1".into());
    assert_eq!(broker.plan("plan-1").await.expect_err("unknown").kind(), Kind::NotFound);
    broker.put_plan(&project).await.expect("kept");
    assert_eq!(broker.plan("plan-1").await.expect("known"), project);
}

pub(crate) async fn ids_that_are_none_are_unknown(place: Place) {
    let broker = place.open(place.settings()).await;
    broker.submit(message("m-1")).await.expect("accepted");
    let long = "x".repeat(10_000);
    for id in ["", "*", ">", "m.1", "..", "a b", "m-1\r\nPUB x 1", "é", "/", &long] {
        assert!(broker.record(id).await.expect("an answer").is_none(), "{id:?}");
        assert!(broker.wait(id, LONG).await.expect("an answer").is_none(), "{id:?}");
        let error = broker.plan(id).await.expect_err("unknown");
        assert_eq!(error.kind(), Kind::NotFound, "{id:?}");
        assert!(error.to_string().len() < 200);
    }
}

pub(crate) async fn draining_ends_the_workers_and_loses_nothing(place: Place) {
    let broker = place.open(place.settings()).await;
    let (begun, mut has_begun) = mpsc::unbounded_channel();
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let gate = Arc::clone(&go);
    let workers = working(&broker, 2, move |message| {
        begun.send(()).expect("somebody listens");
        let gate = Arc::clone(&gate);
        async move {
            let _permit = gate.acquire().await.expect("open");
            Ok(echo(&message))
        }
    });
    for i in 0..10 {
        broker.submit(message(&format!("m-{i}"))).await.expect("accepted");
    }
    for _ in 0..2 {
        has_begun.recv().await.expect("it has begun");
    }
    broker.drain();
    let error = broker.submit(message("m-10")).await.expect_err("stopping");
    assert_eq!(error.kind(), Kind::Unavailable);
    go.add_permits(10);
    workers.join_all().await;

    let mut done = 0;
    for i in 0..10 {
        let record = broker.record(&format!("m-{i}")).await.expect("an answer").expect("known");
        match record.status {
            Status::Completed => done += 1,
            status => assert_eq!(status, Status::Queued),
        }
    }
    if !place.is_nats() {
        assert_eq!(done, 10, "what is only here is done before the end");
        return;
    }
    assert_eq!(done, 2, "what was in hand is done, the rest is safe with the server");
    broker.close().await.expect("an answer");
    let other = place.open(place.settings()).await;
    let _workers = echoing(&other, 2);
    for i in 0..10 {
        let id = format!("m-{i}");
        let record = other.wait(&id, LONG).await.expect("an answer").expect("known");
        assert_eq!(record.status, Status::Completed, "{id}");
    }
}

pub(crate) async fn any_replica_answers(place: Place) {
    let (one, other) = (place.open(place.settings()).await, place.open(place.settings()).await);
    let waiting = {
        one.submit(message("m-1")).await.expect("accepted");
        let one = one.clone();
        let mut set = JoinSet::new();
        set.spawn(async move { one.wait("m-1", LONG).await });
        set
    };
    let _workers = echoing(&other, 1);
    for record in waiting.join_all().await {
        assert_eq!(record.expect("an answer").expect("known").status, Status::Completed);
    }
    for replica in [&one, &other] {
        let record = replica.record("m-1").await.expect("an answer").expect("known");
        assert_eq!(record.result.as_ref().map(|result| result.get()), Some("\"m-1\""));
    }
    assert_eq!(one.claim("k", "m-1").await.expect("an answer"), Claim::New);
    let seen = Claim::Seen { message_id: "m-1".into(), is_confirmed: false };
    assert_eq!(other.claim("k", "m-2").await.expect("an answer"), seen);
}

pub(crate) async fn the_load_is_told(place: Place) {
    let mut settings = place.settings();
    settings.capacity = 7;
    let broker = place.open(settings).await;
    assert_eq!(broker.check().await.expect("up"), Load { pending: 0, capacity: 7 });
    broker.submit(message("m-1")).await.expect("accepted");
    assert_eq!(broker.check().await.expect("up"), Load { pending: 1, capacity: 7 });
}

/// LOG-3: the work has the request's id and trace, whatever broker lies between.
pub(crate) async fn the_work_is_in_the_trace_of_its_request(place: Place) {
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let trace = TraceContext::parse(parent, Some("vendor=1")).expect("a trace");
    let request = Scope::root()
        .with_request_id(RequestId::parse("r-7").expect("an id"))
        .with_trace(trace.clone())
        .with_baggage(Baggage::parse("tenant=7"));
    let broker = place.open(place.settings()).await;
    let (seen, mut scopes) = mpsc::unbounded_channel();
    let _workers = working(&broker, 1, move |message| {
        seen.send(Scope::current().expect("inside one")).expect("somebody listens");
        std::future::ready(Ok(echo(&message)))
    });
    broker
        .submit(mira::Message { origin: Origin::of(&request), ..message("m-1") })
        .await
        .expect("accepted");
    let scope = scopes.recv().await.expect("the work");
    let work = scope.trace().expect("a trace");
    assert_eq!((scope.request_id(), scope.baggage()), (request.request_id(), request.baggage()));
    assert_eq!((work.trace_id(), work.state()), (trace.trace_id(), trace.state()));
    assert_eq!(work.parent_span_id(), Some(trace.span_id()), "a span of its own, below");

    // Without a request there is none, and what is no trace begins none.
    let origin = Origin { traceparent: Some("none".into()), ..Origin::default() };
    let message = mira::Message { origin, ..message("m-2") };
    broker.submit(message).await.expect("accepted");
    let scope = scopes.recv().await.expect("the work");
    assert!(scope.request_id().is_none() && scope.trace().is_none());
}
