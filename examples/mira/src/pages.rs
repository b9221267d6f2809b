#[doc = include_str!("../../../docs/configuration.md")]
mod configuration {}

#[doc = include_str!("../../../docs/logging.md")]
mod logging {}

#[doc = include_str!("../../../docs/shutdown.md")]
mod shutdown {}

#[doc = include_str!("../../../docs/health.md")]
mod health {}

#[doc = include_str!("../../../docs/metrics.md")]
mod metrics {}

#[doc = include_str!("../../../docs/secrets.md")]
mod secrets {}

#[doc = include_str!("../../../docs/http.md")]
mod http {}

#[doc = include_str!("../../../docs/host.md")]
mod host {}

#[doc = include_str!("../../../docs/api.md")]
mod api {}

#[doc = include_str!("../../../docs/maintenance.md")]
mod maintenance {}

#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../README.md")]
mod mira {}
