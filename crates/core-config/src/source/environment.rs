//! Environment variables by the names that people write: `MIRA_SERVER_BIND_ADDRESS` reaches
//! `server.bind_address`, although both levels hold underscores, because names are matched against
//! the schema of the settings type.

use super::{Found, text};
use crate::node::Node;
use crate::schema::{Schema, View};
use crate::suggest::nearest;
use crate::{Key, Origin, Problem};

/// Reads the variables that belong to the settings: name, value, and where they stand.
pub(crate) fn read(
    variables: impl IntoIterator<Item = (String, String, Origin)>,
    prefix: &str,
    schema: &Schema,
) -> Found {
    let names = Names::new(prefix, schema);
    let mut found = Found::nothing(Origin::Variable { name: prefix.to_owned() });
    let mut values = Vec::new();
    for (name, value, origin) in variables {
        let name = &*name;
        if names.is_address_of_service(name, &value) {
            continue;
        }
        let mut matches = names.matches(name);
        match matches.len() {
            0 if names.is_ours(name) => {
                found.warnings.push(Problem::of(origin, names.unknown(name)));
            }
            0 => {}
            1 => {
                let Match { key, view, rank } = matches.remove(0);
                match text::typed(&value, &view) {
                    Ok(value) => values.push((rank, key, Node::from_value(value, &origin))),
                    Err(message) => found.problems.push(Problem::at(&key, Some(origin), message)),
                }
            }
            _ => {
                let keys: Vec<String> = matches.iter().map(|m| format!("`{}`", m.key)).collect();
                let message = format!("is ambiguous: it may mean {}", keys.join(" or "));
                found.problems.push(Problem::of(origin, message));
            }
        }
    }
    // A longer name is more exact than a shorter one, and a table comes before what stands in it.
    values.sort_by(|(rank, key, _), (other, beside, _)| (rank, key).cmp(&(other, beside)));
    for (_, key, node) in values {
        found.node.insert(&key, node);
    }
    found
}

/// Reads the variables of other tools, which count where no other source says anything: such as
/// `VAULT_ADDR`, which a whole machine may have for whatever runs on it.
pub(crate) fn fallbacks(variables: &[(String, String)], schema: &Schema) -> Found {
    let mut found = Found::nothing(Origin::Default);
    for (key, view) in schema.named() {
        let value = |wanted: &str| {
            let set = variables.iter().find(|(name, value)| name == wanted && !value.is_empty());
            set.map(|(name, value)| (Origin::Variable { name: name.clone() }, value))
        };
        let Some((origin, value)) = view.fallback_names().find_map(value) else { continue };
        match text::typed(value, view) {
            Ok(value) => found.node.insert(key, Node::from_value(value, &origin)),
            Err(message) => found.problems.push(Problem::at(key, Some(origin), message)),
        }
    }
    found
}

/// Refuses variables that belong to the settings, and whose values are no text.
pub(crate) fn unreadable(variables: &[String], prefix: &str, schema: &Schema) -> Vec<Problem> {
    let names = Names::new(prefix, schema);
    let ours = variables.iter().filter(|name| !names.matches(name).is_empty());
    let origin = |name: &String| Origin::Variable { name: name.clone() };
    ours.map(|name| Problem::of(origin(name), "is not UTF-8")).collect()
}

/// How a variable's name was found. The greater wins where two variables set one key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A whole name of its own, such as `GITHUB_TOKEN`.
    Foreign,
    /// A short name behind the prefix, such as `MIRA_LOG_LEVEL`.
    Short,
    /// The key itself.
    Key,
}

struct Match<'s> {
    key: Key,
    view: View<'s>,
    rank: Rank,
}

struct Names<'s> {
    prefix: String,
    schema: &'s Schema,
    /// Names that are declared on the settings type.
    declared: Vec<(String, Rank, Key, View<'s>)>,
}

impl<'s> Names<'s> {
    fn new(prefix: &str, schema: &'s Schema) -> Self {
        let prefix = format!("{prefix}_");
        let mut declared = Vec::new();
        for (key, view) in schema.named() {
            for short in view.short_names() {
                declared.push((format!("{prefix}{short}"), Rank::Short, key.clone(), view.clone()));
            }
            for name in view.variable_names() {
                declared.push((name.to_owned(), Rank::Foreign, key.clone(), view.clone()));
            }
        }
        Self { prefix, schema, declared }
    }

    fn matches(&self, name: &str) -> Vec<Match<'s>> {
        let mut matches = Vec::new();
        if let Some(rest) = name.strip_prefix(&self.prefix) {
            descend(&self.schema.view(), &Key::root(), level(rest), &mut matches);
        }
        // The key itself beats a short name, even where the two are spelled alike.
        if matches.is_empty() {
            for (declared, rank, key, view) in &self.declared {
                if declared == name {
                    matches.push(Match { key: key.clone(), view: view.clone(), rank: *rank });
                }
            }
        }
        matches
    }

    /// Whether a variable was meant for us, though it fits nothing. What Kubernetes sets for a
    /// Service whose name begins as ours was not: `APP_SERVICE_HOST`, `APP_DB_SERVICE_PORT_HTTP`.
    fn is_ours(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(&self.prefix) else { return false };
        let words: Vec<&str> = rest.split('_').collect();
        !words.windows(2).any(|two| matches!(two, ["SERVICE", "HOST" | "PORT"]))
    }

    /// Whether Kubernetes tells the address of such a Service, as no person would, and so means none
    /// of our keys, whatever they are called: `APP_PORT=tcp://10.0.0.1:80`,
    /// `APP_PORT_80_TCP_ADDR=10.0.0.1`.
    fn is_address_of_service(&self, name: &str, value: &str) -> bool {
        let Some(rest) = name.strip_prefix(&self.prefix) else { return false };
        let words: Vec<&str> = rest.split('_').collect();
        let is_address =
            ["tcp://", "udp://", "sctp://"].iter().any(|scheme| value.starts_with(scheme));
        let is_part = words.windows(3).any(|three| match three {
            ["PORT", port, "TCP" | "UDP" | "SCTP"] => port.parse::<u16>().is_ok(),
            _ => false,
        });
        (words.last() == Some(&"PORT") && is_address) || is_part
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<String> = self
            .schema
            .leaves()
            .into_iter()
            .map(|(key, _)| variable(&self.prefix, &key))
            .chain(self.declared.iter().map(|(name, ..)| name.clone()))
            .collect();
        match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("is no setting; did you mean `{meant}`?"),
            None => "is no setting".into(),
        }
    }
}

/// The variables that set a key, the strongest first.
pub(crate) fn variables_of(prefix: &str, key: &Key, view: &View<'_>) -> Vec<String> {
    let prefix = format!("{prefix}_");
    let short = view.short_names().map(|name| format!("{prefix}{name}"));
    let all = std::iter::once(variable(&prefix, key)).chain(short);
    let whole = view.variable_names().chain(view.fallback_names()).map(str::to_owned);
    let mut variables: Vec<String> = all.chain(whole).collect();
    variables.dedup();
    variables
}

/// The variable of a key: `MIRA_` and `server.bind_address` give `MIRA_SERVER_BIND_ADDRESS`.
fn variable(prefix: &str, key: &Key) -> String {
    prefix.to_owned() + &upper(&key.to_string())
}

/// What follows the mark between two levels, one underscore of which is gone already.
fn level(rest: &str) -> &str {
    rest.strip_prefix('_').unwrap_or(rest)
}

fn upper(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect()
}

/// Finds every key below a place that the rest of a name can mean. Names are divided by one
/// underscore, or by two.
fn descend<'s>(view: &View<'s>, key: &Key, rest: &str, matches: &mut Vec<Match<'s>>) {
    for (name, member) in view.members() {
        for name in std::iter::once(*name).chain(member.former_names()) {
            let upper = upper(name);
            let below = key.name(name);
            if rest == upper {
                matches.push(Match { key: below, view: member.clone(), rank: Rank::Key });
            } else if let Some(rest) =
                rest.strip_prefix(&upper).and_then(|rest| rest.strip_prefix('_'))
            {
                descend(member, &below, level(rest), matches);
            }
        }
    }
    if let Some(values) = view.values().filter(|_| view.members().is_empty()) {
        map(&values, key, rest, matches);
    }
}

/// A map takes any name. Where its values are tables, what follows the name must be one of theirs.
fn map<'s>(values: &View<'s>, key: &Key, rest: &str, matches: &mut Vec<Match<'s>>) {
    if values.members().is_empty() {
        if !rest.is_empty() {
            let below = key.name(&rest.to_ascii_lowercase());
            matches.push(Match { key: below, view: values.clone(), rank: Rank::Key });
        }
        return;
    }
    for (at, _) in rest.match_indices('_') {
        let (name, rest) = (&rest[..at], &rest[at + 1..]);
        // Two underscores end the name for certain, and so do not stand in it.
        if !name.is_empty() && !name.ends_with('_') && !name.contains("__") {
            descend(values, &key.name(&name.to_ascii_lowercase()), level(rest), matches);
        }
    }
}

#[cfg(test)]
mod tests;
