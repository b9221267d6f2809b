use std::path::PathBuf;

use core_types::Duration;

#[cfg(feature = "kubernetes")]
use crate::Error;

/// Settings of the backend `kubernetes`.
///
/// They count only where the feature `kubernetes` is compiled in.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KubernetesConfig {
    /// The namespace whose Secrets are read. Default: empty, which is the pod's own, or that of the
    /// kubeconfig's context.
    pub namespace: String,
    /// A kubeconfig, for a process outside of the cluster. Default: none, which is a pod's service
    /// account, with `https://kubernetes.default.svc` as the server.
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig. Default: empty, which is its current one.
    pub context: String,
    /// The longest time for one request, its answer included. 100ms to 1m. Default 2s: a server
    /// that is well answers in milliseconds, and one that is not must not hold up a start.
    pub request_timeout: Duration,
}

impl Default for KubernetesConfig {
    fn default() -> Self {
        Self {
            namespace: String::new(),
            kubeconfig: None,
            context: String::new(),
            request_timeout: Duration::from_secs(2),
        }
    }
}

#[cfg(feature = "kubernetes")]
impl KubernetesConfig {
    /// Checks what the fields state, for a configuration that uses the backend.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(60));
        let out_of = |field, range| Err(Error::OutOfRange { field, range });
        if !self.namespace.is_empty() && !is_name(&self.namespace) {
            return out_of("kubernetes.namespace", "lower-case letters, digits and `-`");
        }
        if !(least..=most).contains(&self.request_timeout) {
            return out_of("kubernetes.request_timeout", "from 100ms to 1m");
        }
        Ok(())
    }
}

/// Whether Kubernetes could call something so, and a path of its API may therefore hold it as it is.
#[cfg(feature = "kubernetes")]
pub(crate) fn is_name(text: &str) -> bool {
    let is_part = |part: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        part.bytes().all(|b| inner(b) || b == b'-')
            && part.bytes().next().is_some_and(inner)
            && part.bytes().last().is_some_and(inner)
    };
    text.len() <= 253 && text.split('.').all(is_part)
}

#[cfg(all(test, feature = "kubernetes"))]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_those_of_kubernetes() {
        for name in ["a", "db-1", "github.com", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "A", "-a", "a-", "a..b", "a%2f", "ä", &"a".repeat(254)]
        {
            assert!(!is_name(name), "{name}");
        }
    }
}
