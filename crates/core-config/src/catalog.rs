mod write;

use serde_json::Value;

use crate::schema::{Schema, View};
use crate::source::environment::variables_of;
use crate::{Key, Settings};

/// A setting that can be written, as its type declares it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// What the type's documentation says of it.
    pub description: String,
    /// The environment variables that set it, the strongest first.
    pub variables: Vec<String>,
    /// Its default; none if it is not set by default, or must be written.
    pub default: Option<Value>,
    /// A value that may be written in the place of a default.
    example: Value,
    /// What is expected there, in words.
    pub expected: String,
    /// Whether a change counts only after a restart.
    pub needs_restart: bool,
    /// What to do instead of writing it, if it is about to go.
    pub deprecated: Option<String>,
}

/// All settings of a type, for documentation and for those who follow changes.
///
/// ```
/// # use core_config::{Catalog, Key, Validate, schemars::{self, JsonSchema}};
/// #[derive(Default, serde::Deserialize, serde::Serialize, JsonSchema)]
/// #[serde(default)]
/// struct Settings {
///     /// Where to listen. Default: nowhere.
///     #[schemars(extend("x-restart" = true))]
///     bind_address: String,
/// }
/// impl Validate for Settings {}
///
/// let catalog = Catalog::of::<Settings>("APP");
/// assert!(catalog.needs_restart(&Key::parse("bind_address").unwrap()));
/// assert!(catalog.to_example().contains("# Where to listen. Default: nowhere."));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Catalog {
    entries: Vec<Entry>,
    /// The tables that settings stand in, with what is said of them.
    tables: Vec<(Key, String)>,
}

impl Catalog {
    /// Lists the settings of a type; the prefix is that of its environment variables.
    #[must_use]
    pub fn of<T: Settings>(prefix: &str) -> Self {
        let schema = Schema::of::<T>();
        let mut catalog = Self { entries: Vec::new(), tables: Vec::new() };
        schema.walk(&mut |key, view, is_leaf| {
            if is_leaf {
                catalog.entries.push(Entry::new(prefix, schema, key, view));
            } else {
                catalog.tables.push((key.clone(), view.description().to_owned()));
            }
        });
        catalog
    }

    /// The settings, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Whether a change of a key, which may be part of a setting, counts only after a restart.
    pub fn needs_restart(&self, key: &Key) -> bool {
        self.entries.iter().any(|entry| entry.needs_restart && key.starts_with(&entry.key))
    }
}

impl Entry {
    fn new(prefix: &str, schema: &Schema, key: &Key, view: &View<'_>) -> Self {
        let default = default_of(schema, key).filter(|default| !default.is_null());
        Self {
            key: key.clone(),
            description: view.description().to_owned(),
            variables: variables_of(prefix, key, view),
            default: default.cloned(),
            example: view.example(),
            expected: view.expected(),
            needs_restart: view.needs_restart(),
            deprecated: view.deprecated().map(str::to_owned),
        }
    }
}

/// The default of a key: what the nearest table above says, or the key's own.
fn default_of<'s>(schema: &'s Schema, key: &Key) -> Option<&'s Value> {
    let root = schema.view();
    let (mut view, mut default) = (root.clone(), root.default());
    for segment in key.segments() {
        let crate::key::Segment::Name(name) = segment else { return None };
        view = view.member(name)?;
        default = default.and_then(|default| default.get(&**name)).or(view.default());
    }
    default
}
