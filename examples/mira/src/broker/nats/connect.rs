use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::context::{ContextBuilder, CreateStreamError};
use async_nats::jetstream::kv::Store;
use async_nats::jetstream::stream::{Config, DiscardPolicy, Republish, RetentionPolicy};
use async_nats::{ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerAddr, jetstream};
use core_app::types::Chain;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep};
use tracing::{info, warn};

use super::{Names, Nats};
use crate::Error;
use crate::broker::Settings;

/// Bytes of a stored message besides its payload: subject and headers.
const OVERHEAD: u64 = 1024;

/// The pauses between tries: short at first, since a server that starts with us is there soon.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Nats {
    /// Connects, and tries again for as long as a start may wait: where all starts at once, the
    /// server's name may not be known yet, or its stream may have no leader yet.
    pub(in crate::broker) async fn connect(settings: &Settings) -> Result<Self, Error> {
        let end = Instant::now() + settings.nats.start_timeout.get();
        let mut pause = FIRST_PAUSE;
        loop {
            match Self::connect_once(settings).await {
                Err(error @ Error::Unavailable { .. }) if Instant::now() + pause < end => {
                    warn!(error = %Chain(&error), "Broker cannot be used yet, trying again");
                    sleep(pause).await;
                    pause = LONGEST_PAUSE.min(pause * 2);
                }
                result => return result,
            }
        }
    }

    /// Connects, and makes the stream and the buckets what the settings say.
    async fn connect_once(settings: &Settings) -> Result<Self, Error> {
        let nats = &settings.nats;
        let client = options(settings).connect(addresses(&nats.url)?).await.map_err(unconnected)?;
        let max_payload = settings.max_payload.bytes().saturating_add(OVERHEAD);
        if u64::try_from(client.max_payload()).is_ok_and(|server| server < max_payload) {
            let what = "the NATS server's `max_payload` is less than `broker.max_payload`";
            return Err(Error::Internal { what, source: None });
        }
        let timeout = nats.request_timeout.get();
        let context = ContextBuilder::new().timeout(timeout).build(client.clone());

        let names = Names {
            stream: format!("{}_messages", nats.prefix),
            messages: format!("{}.messages", nats.prefix),
            changes: format!("{}.records", nats.prefix),
        };
        let messages = Config {
            name: names.stream.clone(),
            subjects: vec![names.messages.clone()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            max_messages: settings.capacity.into(),
            max_message_size: i32::try_from(max_payload).unwrap_or(i32::MAX),
            num_replicas: nats.replicas.into(),
            ..Config::default()
        };
        context.create_or_update_stream(messages).await.map_err(refused)?;
        let workers = pull::Config {
            durable_name: Some("workers".into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: nats.ack_wait.get(),
            // Attempts are counted by the workers, who write down that they gave up.
            max_deliver: -1,
            max_ack_pending: settings.capacity.into(),
            ..pull::Config::default()
        };
        let consumer = context.create_consumer_on_stream(workers, &names.stream).await;

        let republish = Republish {
            source: format!("$KV.{}_records.>", nats.prefix),
            destination: format!("{}.>", names.changes),
            headers_only: false,
        };
        Ok(Self {
            records: bucket(&context, settings, "records", Some(republish)).await?,
            plans: bucket(&context, settings, "plans", None).await?,
            deliveries: bucket(&context, settings, "deliveries", None).await?,
            consumer: consumer.map_err(refused)?,
            client,
            context,
            names,
            capacity: usize::try_from(settings.capacity).unwrap_or(usize::MAX),
            max_attempts: settings.max_attempts,
            is_stopping: watch::Sender::new(false),
        })
    }
}

fn options(settings: &Settings) -> ConnectOptions {
    let nats = &settings.nats;
    let options = ConnectOptions::new()
        .name("mira")
        .connection_timeout(nats.request_timeout.get())
        .request_timeout(Some(nats.request_timeout.get()))
        .event_callback(move |event| {
            match event {
                Event::Connected => info!("Broker connected"),
                event => warn!(%event, "Broker connection"),
            }
            std::future::ready(())
        });
    match (&nats.token, &nats.password) {
        (Some(token), _) => options.token(token.expose().clone()),
        (None, password) if !nats.username.is_empty() => {
            let password = password.as_ref().map(|password| password.expose().clone());
            options.user_and_password(nats.username.clone(), password.unwrap_or_default())
        }
        _ => options,
    }
}

fn addresses(url: &str) -> Result<Vec<ServerAddr>, Error> {
    let addresses = url.split(',').map(|address| address.trim().parse());
    addresses
        .collect::<Result<_, std::io::Error>>()
        .map_err(|error| Error::internal("`broker.nats.url` is not the address of a server", error))
}

/// A bucket, made as JetStream's own clients make one, but that the oldest entries go for what is
/// over the bounds, where a bucket of theirs would refuse new ones.
async fn bucket(
    context: &jetstream::Context,
    settings: &Settings,
    name: &str,
    republish: Option<Republish>,
) -> Result<Store, Error> {
    let (nats, store) = (&settings.nats, &settings.store);
    let name = format!("{}_{name}", nats.prefix);
    let config = Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::Old,
        max_age: store.max_age.get(),
        max_messages: store.max_count.into(),
        max_bytes: i64::try_from(store.max_bytes.bytes()).unwrap_or(i64::MAX),
        num_replicas: nats.replicas.into(),
        allow_rollup: true,
        deny_delete: true,
        // Only the leader is asked: others may not know yet what was just written.
        allow_direct: false,
        republish,
        ..Config::default()
    };
    context.create_or_update_stream(config).await.map_err(refused::<CreateStreamError>)?;
    context.get_key_value(name).await.map_err(refused)
}

/// What waiting does not mend is a mistake in the settings.
fn unconnected(error: ConnectError) -> Error {
    match error.kind() {
        ConnectErrorKind::Dns | ConnectErrorKind::TimedOut | ConnectErrorKind::Io => {
            Error::unavailable("the broker cannot be reached", error)
        }
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Error::internal("the broker refuses the credentials of `broker.nats`", error)
        }
        _ => Error::internal("`broker.nats` does not fit the server", error),
    }
}

fn refused<E: std::error::Error + Send + Sync + 'static>(error: E) -> Error {
    Error::unavailable("the broker's stream or buckets cannot be made", error)
}
