use core_types::{ByteSize, Duration, Secret};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How messages are passed to the agents: the section `broker`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Settings {
    /// Who keeps the messages. Default: `memory`, so that nothing must be installed to try Mira.
    pub kind: Kind,
    /// Messages that this replica works on at the same time, 1 to 256. Default: 4; the work is
    /// short and needs the processor, so more than it has cores gains little.
    #[schemars(range(min = 1, max = 256))]
    pub workers: u16,
    /// Messages that are accepted and not done yet, 1 to 1,000,000. Past it, new ones are refused.
    /// Default: 1,000, which is about a second of work: whoever waits longer had better try again.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub capacity: u32,
    /// The longest message, 1 KiB to 1 MiB. Default: 256 KiB, the longest brief that is allowed and
    /// then some; NATS takes 1 MiB unless told otherwise.
    pub max_payload: ByteSize,
    /// How often a message is tried that an agent or the broker could not finish, 1 to 100.
    /// Default: 5, enough to outlive a restart, too few to keep a poisonous message for long.
    #[schemars(range(min = 1, max = 100))]
    pub max_attempts: u32,
    /// How long a caller who waits for the result is kept waiting. Default: 10s, a thousand times
    /// what a plan takes and well within the time a request may take; then the caller is told
    /// where to ask.
    pub reply_timeout: Duration,
    /// How long and how many results, plans and seen deliveries are kept, each.
    pub store: Store,
    /// The NATS server, for `kind = "nats"`.
    pub nats: Nats,
}

/// Who keeps the messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// This process. What it holds is gone when it ends.
    #[default]
    Memory,
    /// NATS JetStream, shared by all replicas.
    Nats,
}

/// How much is kept: the section `broker.store`. Each of the three bounds applies to results, to
/// plans and to seen deliveries on their own; whatever is over the first of them goes, the oldest
/// first.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Store {
    /// How long, 1s to 366 days. Default: 24h: a sender tries a delivery again for hours, and a caller
    /// asks for a result within the day or not at all.
    pub max_age: Duration,
    /// How many, 1 to 10,000,000. Default: 10,000: ten times the capacity, so that no result goes
    /// while callers still wait for it.
    #[schemars(range(min = 1, max = 10_000_000))]
    pub max_count: u32,
    /// How many bytes, 1 MiB to 1 TiB; a NATS server sets them aside at once. Default: 64 MiB,
    /// some 8,000 results of usual length, and three such stores still fit a small container.
    pub max_bytes: ByteSize,
}

/// The NATS server: the section `broker.nats`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Nats {
    /// Its address, or several divided by commas. `tls://` asks for TLS. Default:
    /// `nats://127.0.0.1:4222`, where a server of one's own listens.
    pub url: String,
    /// The user to log in as, with `password`. Default: empty, nobody.
    pub username: String,
    /// The password of `username`. Default: none.
    #[serde(skip_serializing)]
    pub password: Option<Secret<String>>,
    /// The token to log in with, instead of a user. Default: none.
    #[serde(skip_serializing)]
    pub token: Option<Secret<String>>,
    /// What the names of the stream and the buckets begin with: 1 to 32 of `a-z A-Z 0-9 _ -`.
    /// Installations that share a server need one each. Default: `mira`.
    pub prefix: String,
    /// Servers that keep each message and result, 1 to 5. Default: 1, since a single server has no
    /// second; a cluster of three should keep 3.
    #[schemars(range(min = 1, max = 5))]
    pub replicas: u8,
    /// How long a message may be worked on before another worker gets it, 1s to 1h. Default: 30s:
    /// the work takes milliseconds, so only a dead worker takes longer.
    pub ack_wait: Duration,
    /// How long the server may take to answer, 100ms to 60s. Default: 5s, more than a change of its
    /// leader takes.
    pub request_timeout: Duration,
    /// How long a start waits for a server that is not there yet, 0s to 10m. Default: 30s, enough for
    /// one that is started together with Mira, and a quarter of what a pod's start may take.
    pub start_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: Kind::Memory,
            workers: 4,
            capacity: 1_000,
            max_payload: ByteSize::from_bytes(256 * 1024),
            max_attempts: 5,
            reply_timeout: Duration::from_secs(10),
            store: Store::default(),
            nats: Nats::default(),
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            max_age: Duration::from_secs(24 * 60 * 60),
            max_count: 10_000,
            max_bytes: ByteSize::from_mebibytes(64),
        }
    }
}

impl Default for Nats {
    fn default() -> Self {
        Self {
            url: "nats://127.0.0.1:4222".into(),
            username: String::new(),
            password: None,
            token: None,
            prefix: "mira".into(),
            replicas: 1,
            ack_wait: Duration::from_secs(30),
            request_timeout: Duration::from_secs(5),
            start_timeout: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// What cannot work, each with the key below `broker` and what was expected there.
    pub fn mistakes(&self) -> Vec<(&'static str, &'static str)> {
        let (store, nats) = (&self.store, &self.nats);
        let within = |value: Duration, least: Duration, most: u64| {
            (least..=Duration::from_secs(most)).contains(&value)
        };
        let second = Duration::from_secs(1);
        let tenth = Duration::from_millis(100);
        let is_prefix = (1..=32).contains(&nats.prefix.len())
            && nats.prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        let checks = [
            ("workers", (1..=256).contains(&self.workers), "1 to 256"),
            ("capacity", (1..=1_000_000).contains(&self.capacity), "1 to 1,000,000"),
            (
                "max_payload",
                (1 << 10..=1 << 20).contains(&self.max_payload.bytes()),
                "1KiB to 1MiB",
            ),
            ("max_attempts", (1..=100).contains(&self.max_attempts), "1 to 100"),
            ("store.max_age", within(store.max_age, second, 366 * 86_400), "1s to 366 days"),
            ("store.max_count", (1..=10_000_000).contains(&store.max_count), "1 to 10,000,000"),
            ("store.max_count", store.max_count >= self.capacity, "at least `broker.capacity`"),
            (
                "store.max_bytes",
                (1 << 20..=1 << 40).contains(&store.max_bytes.bytes()),
                "1MiB to 1TiB",
            ),
            ("nats.prefix", is_prefix, "1 to 32 of `a-z A-Z 0-9 _ -`"),
            ("nats.replicas", (1..=5).contains(&nats.replicas), "1 to 5"),
            ("nats.ack_wait", within(nats.ack_wait, second, 3_600), "1s to 1h"),
            ("nats.request_timeout", within(nats.request_timeout, tenth, 60), "100ms to 60s"),
            (
                "nats.start_timeout",
                within(nats.start_timeout, Duration::from_secs(0), 600),
                "0s to 10m",
            ),
            (
                "nats.token",
                nats.token.is_none() || nats.username.is_empty(),
                "no token beside a username",
            ),
        ];
        checks
            .into_iter()
            .filter(|(_, is_right, _)| !is_right)
            .map(|(key, _, expected)| (key, expected))
            .collect()
    }
}
