//! What a crate may bring along, and what not.

use crate::context::Context;
use crate::job::refuse;

/// What a crate must not bring along as long as no feature asks for it, and why.
const NEVER: &[(&str, &[&str], &str)] = &[
    (
        "core-types",
        &["bytes", "futures-core", "http", "hyper", "serde", "serde_json", "tokio", "tracing"],
        "every crate pays for the words; they need no runtime and no format",
    ),
    (
        "core-config",
        &["http", "hyper", "tokio", "tracing"],
        "reading files needs no runtime, and programs without one read settings too",
    ),
    (
        "core-log",
        &["http", "hyper", "regex", "serde", "serde_json", "tokio"],
        "a log works before, beside and without a runtime, and writes its lines itself",
    ),
    (
        "core-shutdown",
        &["http", "hyper", "mio", "socket2", "tracing"],
        "a stop does not know what it stops; signals, and the sockets below them, are a feature",
    ),
    (
        "core-secrets",
        &["http", "hyper", "mio", "rustls", "tracing"],
        "backends that need a network come from outside",
    ),
    (
        "core-health",
        &["hyper", "mio", "socket2", "tracing"],
        "probes are answered as data; the ports are the host's",
    ),
    (
        "core-metrics",
        &["hyper", "mio", "protobuf", "tokio", "tracing"],
        "scrapes are answered as data, and numbers are counted without a runtime",
    ),
    (
        "core-http",
        &["axum", "hyper", "mio", "tower", "tracing"],
        "a layer is no server and no framework; axum is a feature",
    ),
    (
        "core-app",
        &["async-nats", "native-tls", "openssl"],
        "the host carries what every service needs; brokers and other TLS stacks are the service's",
    ),
];

/// Fails if a crate brings what it must not, or if nothing was said about it.
pub(crate) fn check(context: &Context, name: &str) -> anyhow::Result<()> {
    let mut tree = vec!["tree", "--package", name, "--edges", "normal"];
    tree.extend(["--prefix", "none", "--format", "{lib}", "--locked", "--offline"]);
    let output = context.cargo(&tree)?;
    refuse(&complaints(name, &output))
}

fn complaints(name: &str, tree: &str) -> Vec<String> {
    let Some((_, never, why)) = NEVER.iter().find(|(of, ..)| *of == name) else {
        return vec![format!("{name}: say in `NEVER` what it must not bring along")];
    };
    let brings = |other: &&&str| tree.lines().any(|line| line.trim() == other.replace('-', "_"));
    let brought = never.iter().filter(brings);
    brought.map(|other| format!("{name} brings {other}: {why}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_welcome_is_named_with_the_reason() {
        let found = complaints("core-types", "core_types\nthiserror\nserde\n");
        let why = "every crate pays for the words; they need no runtime and no format";
        assert_eq!(found, [format!("core-types brings serde: {why}")]);
        assert_eq!(complaints("core-types", "core_types\nserde_derive\n"), [""; 0]);
        assert_eq!(complaints("core-app", "async_nats\n").len(), 1);
    }

    #[test]
    fn a_new_crate_needs_a_word() {
        assert_eq!(
            complaints("core-new", "core_new"),
            ["core-new: say in `NEVER` what it must not bring along"]
        );
    }
}
