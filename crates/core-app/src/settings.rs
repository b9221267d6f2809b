use std::net::SocketAddr;
use std::path::PathBuf;

use core_config::schemars::{self, JsonSchema};
use core_config::{Problems, Validate};
use core_types::{ByteSize, Duration, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the host lets an operator set: its own sections of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Config {
    /// Logs: level, form, file.
    pub logging: core_log::Config,
    /// How configuration itself is kept up to date.
    #[schemars(extend("x-restart" = true))]
    pub config: core_config::Config,
    /// Where secrets come from.
    #[schemars(extend("x-restart" = true))]
    pub secrets: core_secrets::Config,
    /// The app's port, and how the service stops.
    #[schemars(extend("x-restart" = true))]
    pub server: Server,
    /// HTTP: limits, timeouts, headers, CORS, proxies.
    pub http: core_http::Config,
    /// The operators' port.
    pub ops: Ops,
    /// How checks are run.
    #[schemars(extend("x-restart" = true))]
    pub health: core_health::Config,
    /// When the app's threads count as stuck.
    #[schemars(extend("x-restart" = true))]
    pub runtime: Runtime,
    /// When the process runs short of disk or memory.
    pub resources: Resources,
    /// How many series a metric may have.
    #[schemars(extend("x-restart" = true))]
    pub metrics: core_metrics::Config,
}

/// The app's port, and how the service stops.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Server {
    /// Where the app listens; port 0 takes a free one. Default: 127.0.0.1:8080, which nobody
    /// outside can reach.
    #[schemars(extend("x-expected" = "an address such as `127.0.0.1:8080`"))]
    pub bind_address: SocketAddr,
    /// The most connections at once; further ones wait to be accepted. From 1. Default: 10000.
    #[schemars(range(min = 1))]
    pub max_connections: u32,
    /// The time from the signal to the end, all of it. Default: 20s, which leaves ten of
    /// Kubernetes' thirty for what happens outside of the process.
    pub shutdown_timeout: Duration,
    /// How long traffic is still served after readiness has said no. Default: 4s, twice a
    /// balancer's check interval of one second and as much again.
    pub propagation_delay: Duration,
    /// The most that requests in flight may take to end. Default: 10s.
    pub drain_timeout: Duration,
    /// What the process is given before it is killed: Kubernetes' `terminationGracePeriodSeconds`.
    /// Default: 30s, as there.
    pub grace_period: Duration,
}

impl Default for Server {
    fn default() -> Self {
        let stop = core_shutdown::Config::default();
        Self {
            bind_address: SocketAddr::from(([127, 0, 0, 1], 8080)),
            max_connections: 10_000,
            shutdown_timeout: stop.timeout,
            propagation_delay: stop.propagation_delay,
            drain_timeout: stop.drain_timeout,
            grace_period: stop.grace_period,
        }
    }
}

impl Server {
    /// The stop's own configuration.
    pub(crate) fn shutdown(&self) -> core_shutdown::Config {
        let mut config = core_shutdown::Config::default();
        config.timeout = self.shutdown_timeout;
        config.propagation_delay = self.propagation_delay;
        config.drain_timeout = self.drain_timeout;
        config.grace_period = self.grace_period;
        config
    }
}

/// When the app's threads count as stuck. Only in a process of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Runtime {
    /// A task that keeps its worker longer is told in the log and in a metric. From 100ms. Default:
    /// 1s, for a task should give its worker back within a millisecond.
    pub slow_poll: Duration,
    /// When no worker has answered for so long, liveness fails, and the process is restarted. From
    /// 1s. Default: 10s, longer than any honest load.
    pub stall_limit: Duration,
}

impl Default for Runtime {
    fn default() -> Self {
        Self { slow_poll: Duration::from_secs(1), stall_limit: Duration::from_secs(10) }
    }
}

/// When the process runs short of what it has. Shown in health, and no reason to take its traffic
/// away. Only in a process of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Resources {
    /// With less than this left on the disk of `logging.file`, the check `disk` is degraded.
    /// Default: 256MiB, some 600,000 lines: at least an hour to make room, for most services.
    pub disk_free: ByteSize,
    /// With more than this of the control group's memory limit used, in percent, the check `memory`
    /// is degraded. 1 to 100. Default: 90, for at 100 the kernel ends the process.
    #[schemars(range(min = 1, max = 100))]
    pub memory_percent: u8,
}

impl Default for Resources {
    fn default() -> Self {
        Self { disk_free: ByteSize::from_mebibytes(256), memory_percent: 90 }
    }
}

/// The operators' port.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Ops {
    /// Where probes, metrics and operations are served; port 0 takes a free one. Default:
    /// 127.0.0.1:9090, which nobody outside can reach.
    #[schemars(extend("x-expected" = "an address such as `127.0.0.1:9090`", "x-restart" = true))]
    pub bind_address: SocketAddr,
    /// What `Authorization: Bearer` must carry for everything that changes state or shows detail.
    /// Default: none, and then all of that answers 403.
    #[serde(skip_serializing)]
    pub token: Option<Secret<String>>,
    /// A file that tells who ordered what: reloads, levels, stops. Its lines are chained, so that a
    /// cut or an edit can be proved (`--verify-audit`); an order that cannot be written there is
    /// refused. Default: none.
    #[schemars(extend("x-restart" = true))]
    pub audit_file: Option<PathBuf>,
}

impl Default for Ops {
    fn default() -> Self {
        Self {
            bind_address: SocketAddr::from(([127, 0, 0, 1], 9090)),
            token: None,
            audit_file: None,
        }
    }
}

impl Validate for Config {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = self.server.shutdown().validate() {
            problems.refuse("server.shutdown_timeout", error.to_string());
        }
        if let Err(error) = self.http.validate() {
            problems.refuse("http", error.to_string());
        }
        if let Err(error) = core_health::Health::new(self.health.clone(), "") {
            problems.refuse("health", error.to_string());
        }
        let token = self.ops.token.as_ref().map(|token| token.expose().trim().is_empty());
        problems.require(token != Some(true), "ops.token", "must not be empty");
        let limits = [
            ("slow_poll", self.runtime.slow_poll, 100),
            ("stall_limit", self.runtime.stall_limit, 1000),
        ];
        for (key, duration, least) in limits {
            let least = std::time::Duration::from_millis(least);
            let rule = format!("must be at least {least:?}");
            problems.require(duration.get() >= least, &format!("runtime.{key}"), rule);
        }
        let poll = self.config.poll_interval.get().as_millis();
        problems.require(poll >= 100, "config.poll_interval", "must be at least 100ms");
    }
}

/// A service without settings of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct NoSettings {}

impl Validate for NoSettings {}

/// All settings of a service: the host's and its own, side by side in the same files.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings<A = NoSettings> {
    /// The host's sections.
    pub host: Config,
    /// The service's own.
    pub app: A,
}

impl<A: core_config::Settings> core_config::Settings for Settings<A> {
    fn schema() -> Value {
        core_config::merge_schemas(Config::schema(), &A::schema())
    }

    fn read(tree: &Value) -> Result<Self, core_config::ReadError> {
        Ok(Self { host: Config::read(tree)?, app: A::read(tree)? })
    }

    fn validate(&self, problems: &mut Problems) {
        core_config::Settings::validate(&self.host, problems);
        core_config::Settings::validate(&self.app, problems);
    }
}
