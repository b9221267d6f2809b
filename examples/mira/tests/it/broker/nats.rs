//! What only a server can show.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use mira::broker::{Settings, Status};
use mira::{Broker, Kind};

use super::{LONG, Place, echo, echoing, message, pending, until, working};

/// The server is killed and started again: what was accepted is there, workers and those who wait
/// go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_has_lost_nothing() {
    let Some(mut place) = Place::nats() else { return };
    let broker = place.open(place.settings()).await;
    for i in 0..20 {
        broker.submit(message(&format!("m-{i}"))).await.expect("accepted");
    }
    let server = place.server.as_mut().expect("one");
    server.kill();
    let _workers = echoing(&broker, 2);
    server.start_again(&[]);
    for i in 0..20 {
        let id = format!("m-{i}");
        let record = loop {
            // Until the client has found the server again, it says so.
            match broker.wait(&id, LONG).await {
                Ok(record) => break record.expect("known"),
                Err(error) => assert_eq!(error.kind(), Kind::Unavailable),
            }
        };
        assert_eq!(record.status, Status::Completed, "{id}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_told() {
    let Some(mut place) = Place::nats() else { return };
    let mut settings = place.settings();
    settings.nats.request_timeout = Duration::from_millis(200).into();
    settings.nats.start_timeout = Duration::from_millis(500).into();
    let broker = place.open(settings.clone()).await;
    place.server.as_mut().expect("one").kill();
    assert_eq!(broker.submit(message("m-1")).await.expect_err("away").kind(), Kind::Unavailable);
    assert_eq!(broker.check().await.expect_err("away").kind(), Kind::Unavailable);
    assert_eq!(broker.record("m-1").await.expect_err("away").kind(), Kind::Unavailable);
    let error = Broker::open(settings).await.expect_err("away");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(std::error::Error::source(&error).is_some());
}

/// Where all starts at once, the server may come after those who need it.
#[tokio::test]
async fn a_start_waits_for_a_server_that_comes_late() {
    let Some(mut place) = Place::nats() else { return };
    let settings = place.settings();
    let server = place.server.as_mut().expect("one");
    server.kill();
    let address = settings.nats.url.trim_start_matches("nats://").to_owned();
    let late = async {
        // At first there is somebody else, who hangs up.
        let stranger = tokio::net::TcpListener::bind(address).await.expect("it is free");
        drop(stranger.accept().await.expect("a try"));
        drop(stranger);
        server.start_again(&[]);
    };
    let (broker, ()) = tokio::join!(Broker::open(settings), late);
    broker.expect("a broker").submit(message("m-1")).await.expect("accepted");
}

/// Waiting does not mend wrong credentials: a start with them ends at once.
#[tokio::test]
async fn a_start_does_not_wait_where_it_is_refused() {
    let Some(mut place) = Place::nats() else { return };
    let settings = place.settings();
    let server = place.server.as_mut().expect("one");
    server.kill();
    server.start_again(&["--auth", "canary"]);
    let error = Broker::open(settings).await.expect_err("refused");
    assert_eq!(error.kind(), Kind::Internal, "{error}");
}

/// What is kept is gone after its time, and the server takes changed settings from any replica.
#[tokio::test]
async fn records_go_by_age() {
    let Some(place) = Place::nats() else { return };
    let broker = place.open(place.settings()).await;
    broker.submit(message("m-1")).await.expect("accepted");
    let mut settings = place.settings();
    settings.store.max_age = Duration::from_secs(1).into();
    let _other = Broker::open(settings).await.expect("a broker");
    until(async || broker.record("m-1").await.expect("an answer").is_none()).await;
    // The message itself has no age: it is done, and its result is known again for a while.
    let _workers = echoing(&broker, 1);
    until(async || broker.record("m-1").await.expect("an answer").is_some()).await;
}

/// Puts a message into the stream past the broker.
async fn publish(settings: &Settings, payload: Vec<u8>) {
    let client = async_nats::connect(&settings.nats.url).await.expect("a server");
    client.publish("mira.messages", payload.into()).await.expect("sent");
    client.flush().await.expect("sent");
}

/// The worker's acknowledgement may get lost; then the message comes again.
#[tokio::test]
async fn what_is_done_and_comes_again_is_not_done_again() {
    let Some(place) = Place::nats() else { return };
    let broker = place.open(place.settings()).await;
    let count = Arc::new(AtomicU32::new(0));
    let done = Arc::clone(&count);
    let _workers = working(&broker, 1, move |message| {
        done.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(echo(&message)))
    });
    broker.submit(message("m-1")).await.expect("accepted");
    broker.wait("m-1", LONG).await.expect("an answer").expect("known");
    until(async || pending(&broker).await == 0).await;
    publish(&place.settings(), serde_json::to_vec(&message("m-1")).expect("JSON")).await;
    broker.submit(message("m-2")).await.expect("accepted");
    broker.wait("m-2", LONG).await.expect("an answer").expect("known");
    until(async || pending(&broker).await == 0).await;
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_nobody_can_read_is_dropped_in_the_end() {
    let Some(place) = Place::nats() else { return };
    let mut settings = place.settings();
    settings.max_attempts = 2;
    let broker = place.open(settings).await;
    publish(&place.settings(), b"nonsense".to_vec()).await;
    until(async || pending(&broker).await == 1).await;
    let _workers = echoing(&broker, 1);
    until(async || pending(&broker).await == 0).await;
}

#[tokio::test]
async fn installations_with_prefixes_of_their_own_share_a_server() {
    let Some(place) = Place::nats() else { return };
    let one = place.open(place.settings()).await;
    let mut settings = place.settings();
    settings.nats.prefix = "other".into();
    let other = Broker::open(settings).await.expect("a broker");
    one.submit(message("m-1")).await.expect("accepted");
    assert!(other.record("m-1").await.expect("an answer").is_none());
    assert_eq!(other.check().await.expect("an answer").pending, 0);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let mut settings = Settings::default();
    assert_eq!(settings.mistakes(), []);
    (settings.workers, settings.store.max_count) = (0, 10);
    settings.nats.prefix = "a.b".into();
    let keys: Vec<&str> = settings.mistakes().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["workers", "store.max_count", "nats.prefix"]);
    assert_eq!(Broker::open(settings).await.expect_err("refused").kind(), Kind::Internal);
}
