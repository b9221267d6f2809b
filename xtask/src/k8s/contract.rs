//! What manifests must keep to (K8S-7), beyond what a schema or an admission can tell. Each rule has a
//! mutant, which it alone finds.

mod availability;
mod network;
mod pod;
mod settings;
#[cfg(test)]
mod tests;

use serde_json::Value;

/// A rule tells of every object that breaks it.
pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) complaints: fn(&[Value]) -> Vec<String>,
}

/// For every overlay.
pub(crate) const RULES: &[Rule] = &[
    Rule { name: "namespace", complaints: pod::namespace },
    Rule { name: "user", complaints: pod::user },
    Rule { name: "container", complaints: pod::container },
    Rule { name: "volumes", complaints: pod::volumes },
    Rule { name: "token", complaints: pod::token },
    Rule { name: "roles", complaints: pod::roles },
    Rule { name: "links", complaints: pod::links },
    Rule { name: "image", complaints: pod::image },
    Rule { name: "resources", complaints: pod::resources },
    Rule { name: "probes", complaints: pod::probes },
    Rule { name: "rollout", complaints: availability::rollout },
    Rule { name: "disruption", complaints: availability::disruption },
    Rule { name: "spread", complaints: availability::spread },
    Rule { name: "autoscaler", complaints: availability::autoscaler },
    Rule { name: "state", complaints: availability::state },
    Rule { name: "folders", complaints: settings::folders },
    Rule { name: "names", complaints: settings::names },
    Rule { name: "variables", complaints: settings::variables },
    Rule { name: "secrets", complaints: settings::secrets },
    Rule { name: "services", complaints: network::services },
    Rule { name: "tls", complaints: network::tls },
    Rule { name: "labels", complaints: network::labels },
];

/// For production, beside the others.
pub(crate) const PRODUCTION: &[Rule] = &[
    Rule { name: "scale", complaints: availability::scale },
    Rule { name: "claims", complaints: availability::claims },
    Rule { name: "door", complaints: network::door },
    Rule { name: "isolation", complaints: network::isolation },
];

/// All that is wrong with an overlay.
pub(crate) fn complaints(rules: &[Rule], objects: &[Value]) -> Vec<String> {
    let of = |rule: &Rule| {
        let named = |complaint| format!("{}: {complaint}", rule.name);
        (rule.complaints)(objects).into_iter().map(named).collect::<Vec<_>>()
    };
    rules.iter().flat_map(of).collect()
}

/// Complains of objects of which something does not hold.
fn each<'a>(
    objects: impl IntoIterator<Item = &'a Value>,
    holds: impl Fn(&Value) -> bool,
    or: &str,
) -> Vec<String> {
    let wrong = objects.into_iter().filter(|object| !holds(object));
    wrong.map(|object| format!("{}: {or}", shown(object))).collect()
}

fn shown(object: &Value) -> String {
    use super::manifest::{kind, name, text};
    if kind(object).is_empty() {
        text(object, "/name").to_owned()
    } else {
        format!("{} {}", kind(object), name(object))
    }
}
