use axum::Router;
use core_app::health::Report;
use core_app::shutdown::{InFlight, Priority};
use core_app::types::Chain;
use core_app::{BoxError, Host, Restart};
use tracing::warn;

use crate::webhook::Provider;
use crate::{Broker, Metrics, Platform, Settings, http};

/// Builds Mira on its host: the broker, its workers, checks, what happens at the stop, and the
/// routes.
///
/// # Errors
/// If the broker cannot be opened.
pub async fn start(host: Host<Settings>) -> Result<Router, BoxError> {
    let settings = host.settings();
    warn_of_silent_webhooks(&settings.app);
    let metrics = Metrics::new(host.metrics())?;
    let broker = Broker::open(settings.app.broker.clone()).await?.with_metrics(metrics);
    let platform = Platform::new(broker.clone());
    check(&host, &platform)?;
    work(&host, &platform, settings.app.broker.workers)?;
    Ok(http::routes(host, platform))
}

/// A webhook that is wanted and has no secret answers 404: who wants it should know.
fn warn_of_silent_webhooks(settings: &Settings) {
    let integrations = &settings.integrations;
    for (provider, is_wanted, secret) in [
        (Provider::Github, integrations.github.is_wanted(), integrations.github.secret()),
        (Provider::Jira, integrations.jira.is_wanted(), integrations.jira.secret()),
    ] {
        if is_wanted && secret.is_none() {
            let (provider, missing) = (provider.as_str(), provider.secret_key());
            warn!(provider, missing, "the webhook answers 404, for it has no secret");
        }
    }
}

fn check(host: &Host<Settings>, platform: &Platform) -> Result<(), BoxError> {
    let agents = host.health().component("agents")?;
    agents.set_data("agent_count", platform.agent_count());
    agents.healthy();
    // Kept until the stop, for a component that is dropped shows as failed.
    host.on_stop("agents", Priority::LAST, || async move {
        drop(agents);
        Ok(())
    })?;
    let broker = platform.broker().clone();
    host.health().check("broker", move || {
        let broker = broker.clone();
        async move {
            match broker.check().await {
                Ok(load) => Report::healthy()
                    .with_data("pending", load.pending)
                    .with_data("capacity", load.capacity),
                Err(error) => Report::unhealthy(Chain(&error).to_string()),
            }
        }
    })?;
    Ok(())
}

/// The workers run until the broker is drained, which is the first thing of the stop's callbacks.
fn work(host: &Host<Settings>, platform: &Platform, workers: u16) -> Result<(), BoxError> {
    let working = InFlight::default();
    for number in 1..=workers {
        let (platform, working) = (platform.clone(), working.clone());
        host.task(format!("worker.{number}")).critical().restart(Restart::Always).spawn(
            move || {
                let (worker, guard) = (platform.worker(), working.guard());
                async move {
                    worker.await;
                    drop(guard);
                    Ok::<(), BoxError>(())
                }
            },
        )?;
    }
    let broker = platform.broker().clone();
    host.on_stop("drain_agents", Priority::CRITICAL, move || async move {
        broker.drain();
        working.idle().await;
        Ok(broker.close().await?)
    })?;
    Ok(())
}
