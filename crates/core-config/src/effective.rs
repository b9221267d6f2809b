use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use serde_json::Value;

use crate::key::{Segment, Trail, bare_or_quoted, quoted};
use crate::mask::mask;
use crate::merge::Merged;
use crate::schema::{Schema, View};
use crate::suggest::nearest;
use crate::{Key, Origin};

/// One effective setting: its value as it may be shown, and where it came from.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// Its key.
    pub key: Key,
    /// Its value; `[REDACTED]` if it is a secret, the reference if it is one.
    pub value: Value,
    /// Where the value came from.
    pub origin: Origin,
    /// The weaker sources that it overrides, the strongest first, with what they say.
    pub overrides: Vec<(Origin, Value)>,
    /// Whether a change of it counts only after a restart.
    pub needs_restart: bool,
    /// Tells changed values that it overrides from unchanged ones.
    beneath: u64,
    /// Tells a changed value from an unchanged one, secret or not, within this process.
    fingerprint: u64,
}

/// Every effective setting, in the order of the keys. Secrets are masked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effective {
    settings: Vec<Setting>,
}

impl Effective {
    pub(crate) fn new(
        schema: &Schema,
        merged: &Merged,
        resolved: &Value,
        hasher: &RandomState,
    ) -> Self {
        let mut settings = Vec::new();
        let view = schema.view();
        let mut visit = |key: &Trail<'_>, view: &View<'_>, value: &Value| {
            let key = key.to_key();
            let overridden: Vec<(&Origin, Value)> =
                merged.overridden(&key).map(|node| (&node.origin, node.to_value())).collect();
            let beneath =
                hasher.hash_one(overridden.iter().map(|(_, value)| value).collect::<Vec<_>>());
            let overrides = overridden
                .into_iter()
                .map(|(origin, value)| (origin.clone(), mask(view, &key, &value)))
                .collect();
            let origin = merged.written(&key).map_or(&Origin::Default, |node| &node.origin);
            settings.push(Setting {
                value: mask(view, &key, value),
                origin: origin.clone(),
                overrides,
                needs_restart: view.needs_restart(),
                beneath,
                fingerprint: hasher.hash_one(key.get(resolved).unwrap_or(value)),
                key,
            });
        };
        collect(&view, Some(&merged.value), view.default(), &Trail::Root, &mut visit);
        settings.sort_by(|a, b| a.key.cmp(&b.key));
        Self { settings }
    }

    /// The settings.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// The keys whose values differ, secrets included.
    pub fn changed(&self, other: &Self) -> Vec<Key> {
        let value = |all: &Self, key: &Key| {
            let at = all.settings.binary_search_by(|setting| setting.key.cmp(key)).ok();
            at.map(|at| all.settings[at].fingerprint)
        };
        let keys = self.settings.iter().chain(&other.settings).map(|setting| &setting.key);
        let mut changed: Vec<Key> =
            keys.filter(|key| value(self, key) != value(other, key)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }

    /// The settings below whose values something weaker says another thing than it did, and which
    /// are what they were: somebody has edited what a stronger source overrides.
    pub fn edited_in_vain(&self, before: &Self) -> Vec<&Setting> {
        let is_vain = |setting: &&Setting| {
            let known = before.settings.binary_search_by(|known| known.key.cmp(&setting.key));
            known.is_ok_and(|at| {
                let before = &before.settings[at];
                before.beneath != setting.beneath && before.fingerprint == setting.fingerprint
            })
        };
        self.settings
            .iter()
            .filter(|setting| !setting.overrides.is_empty() && is_vain(setting))
            .collect()
    }

    /// A number that is equal for equal settings, on every machine. Secrets do not count in it.
    pub fn hash(&self) -> u64 {
        // FNV-1a: the point is to compare replicas at a glance, not to withstand forgery.
        self.to_string().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    /// Everything known of a key, or of all keys below it; of a part of a list, what is known of
    /// the list.
    pub fn explain(&self, key: &Key) -> Vec<Explanation<'_>> {
        let below = |setting: &&Setting| setting.key.starts_with(key);
        let within = |setting: &&Setting| {
            let part = key.segments().get(setting.key.segments().len());
            key.starts_with(&setting.key) && matches!(part, Some(Segment::Index(_)))
        };
        let settings = self.settings.iter().filter(|setting| below(setting) || within(setting));
        settings.map(Explanation).collect()
    }

    /// The key that was meant by one that is not there, if one is near enough.
    pub fn nearest(&self, typed: &str) -> Option<String> {
        let keys: Vec<String> =
            self.settings.iter().map(|setting| setting.key.to_string()).collect();
        nearest(typed, keys.iter().map(String::as_str)).map(str::to_owned)
    }

    /// The settings as a document of TOML, each line with its origin.
    pub fn to_toml(&self) -> String {
        let lines: Vec<(String, &Origin)> = self
            .settings
            .iter()
            .map(|setting| match toml(&setting.value) {
                Some(value) => (format!("{} = {value}", setting.key), &setting.origin),
                None => (format!("# {} is not set", setting.key), &setting.origin),
            })
            .collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).filter(|width| *width < 60);
        let width = width.max().unwrap_or(0);
        lines.iter().map(|(line, origin)| format!("{line:width$}  # {origin}\n")).collect()
    }
}

impl fmt::Display for Effective {
    /// `key = value` line by line, without origins.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.settings
            .iter()
            .try_for_each(|setting| writeln!(f, "{} = {}", setting.key, setting.value))
    }
}

/// What is known of one setting.
#[derive(Clone, Copy, Debug)]
pub struct Explanation<'s>(&'s Setting);

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Setting { key, value, origin, overrides, needs_restart, .. } = self.0;
        writeln!(f, "{key} = {value}")?;
        writeln!(f, "  from {origin}")?;
        overrides
            .iter()
            .try_for_each(|(origin, value)| writeln!(f, "  overrides {value} from {origin}"))?;
        if *needs_restart { writeln!(f, "  a change counts after a restart") } else { Ok(()) }
    }
}

/// Visits every setting: tables and maps are taken apart, lists are whole.
///
/// Everything that is written is visited, known to the schema or not, so that no change of it is
/// overlooked.
fn collect(
    view: &View<'_>,
    value: Option<&Value>,
    default: Option<&Value>,
    key: &Trail<'_>,
    visit: &mut dyn FnMut(&Trail<'_>, &View<'_>, &Value),
) {
    let effective = value.or(default);
    let members = view.members();
    let is_table = match effective {
        Some(effective) => effective.is_object(),
        // Only its members say what it is by default.
        None => !members.is_empty() && !view.allows("null"),
    };
    if !is_table {
        if !matches!(key, Trail::Root) {
            visit(key, view, effective.unwrap_or(&Value::Null));
        }
        return;
    }
    let (is_union, mut is_empty) = (view.is_union(), true);
    for (name, member) in members {
        let below = value.and_then(|value| value.get(name));
        // A table that is written has its type's defaults, not those of the table above it.
        let default = match value {
            Some(_) => member.default(),
            None => default.and_then(|default| default.get(name)).or_else(|| member.default()),
        };
        // Of several shapes, only the names of the one that was chosen are there.
        if !is_union || below.is_some() || default.is_some() {
            is_empty = false;
            collect(member, below, default, &key.name(name), visit);
        }
    }
    for (name, entry) in effective.and_then(Value::as_object).into_iter().flatten() {
        if members.iter().all(|(known, _)| known != name) {
            is_empty = false;
            match view.values() {
                Some(values) => collect(&values, Some(entry), None, &key.name(name), visit),
                None => visit(&key.name(name), view, entry),
            }
        }
    }
    // An empty table is a setting of its own where nothing at all is the default.
    if is_empty
        && !matches!(key, Trail::Root)
        && value.is_some()
        && default.is_none_or(Value::is_null)
    {
        visit(key, view, effective.unwrap_or(&Value::Null));
    }
}

/// A value in TOML's notation; `None` for what TOML cannot say.
pub(crate) fn toml(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Object(table) => {
            let entries = table.iter().filter_map(|(name, item)| {
                Some(format!("{} = {}", bare_or_quoted(name), toml(item)?))
            });
            let entries: Vec<String> = entries.collect();
            if entries.is_empty() { "{}".into() } else { format!("{{ {} }}", entries.join(", ")) }
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().filter_map(toml).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    })
}
