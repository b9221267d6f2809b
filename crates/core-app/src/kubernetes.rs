//! What a pod has to be told of a service, from the service's own settings.

use crate::Config;

/// A start may take so many seconds.
const STARTUP: u32 = 120;

/// What would not work in a pod, for nobody outside could reach it.
pub(crate) fn warnings(config: &Config) -> String {
    [("server", config.server.bind_address), ("ops", config.ops.bind_address)]
        .into_iter()
        .filter(|(_, address)| address.ip().is_loopback() || address.port() == 0)
        .map(|(section, address)| {
            format!("warning: {section}.bind_address is {address}, which nobody reaches in a pod\n")
        })
        .collect()
}

/// The part of a pod's specification that follows from the settings, as YAML. The balancers'
/// propagation delay is the process' own, so there is no pre-stop hook to keep in step with it.
pub(crate) fn pod(name: &str, config: &Config) -> String {
    // What is not a whole second is rounded up: less would kill the process in its last step.
    let grace = config.server.grace_period.get().as_millis().div_ceil(1000);
    let (app, ops) = (config.server.bind_address.port(), config.ops.bind_address.port());
    let probe = |path: &str, period: u32, failures: u32| {
        format!(
            "{{httpGet: {{path: {path}, port: ops}}, periodSeconds: {period}, \
             timeoutSeconds: 3, failureThreshold: {failures}}}"
        )
    };
    format!(
        "# server.grace_period; the process ends by itself after server.shutdown_timeout, {}.\n\
         terminationGracePeriodSeconds: {grace}\n\
         containers:\n\
         - name: {name}\n  \
         ports:\n  \
         - {{name: app, containerPort: {app}}}\n  \
         - {{name: ops, containerPort: {ops}}}\n  \
         startupProbe: {}\n  \
         livenessProbe: {}\n  \
         readinessProbe: {}\n  \
         # No preStop: after SIGTERM traffic is served for another {} (server.propagation_delay).\n",
        config.server.shutdown_timeout,
        probe("/health/startup", 1, STARTUP),
        probe("/health/live", 10, 3),
        probe("/health/ready", 1, 2),
        config.server.propagation_delay,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// STOP-2: the manifest takes its numbers from the settings.
    #[test]
    fn numbers_come_from_the_settings() {
        let mut config = Config::default();
        config.server.grace_period = std::time::Duration::from_millis(45_500).into();
        config.ops.bind_address.set_port(9191);
        let pod = pod("mira", &config);
        assert!(pod.contains("terminationGracePeriodSeconds: 46\n"), "{pod}");
        assert!(pod.contains("- {name: ops, containerPort: 9191}\n"), "{pod}");
        assert!(pod.contains("another 4s (server.propagation_delay)"), "{pod}");
    }
}
