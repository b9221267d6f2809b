use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Problems;
use crate::read::{self, ReadError};

/// Rules that a type alone cannot express: ranges that depend on each other, files that must exist.
///
/// ```
/// # use core_config::{Problems, Validate};
/// struct Limits { least: u32, most: u32 }
///
/// impl Validate for Limits {
///     fn validate(&self, problems: &mut Problems) {
///         problems.require(self.least <= self.most, "least", "must not exceed `most`");
///     }
/// }
/// ```
pub trait Validate {
    /// Reports every rule that is broken. Default: there are none.
    fn validate(&self, problems: &mut Problems) {
        let _ = problems;
    }
}

/// A type that holds all settings of a service.
///
/// Implemented for every type that serde can read, that describes itself as JSON Schema, and that
/// is [`Validate`]. The schema is what drives environment names, checks and hints, so fields carry
/// `#[serde(default)]` (or the type does) unless they must be written.
///
/// Extensions of the schema say what types cannot, as in `#[schemars(extend("x-restart" = true))]`:
///
/// | extension | says |
/// |---|---|
/// | `"x-short" = ["LOG_LEVEL"]` | a shorter variable behind the service's prefix |
/// | `"x-env" = ["GITHUB_TOKEN"]` | a variable by its whole name |
/// | `"x-env-default" = ["VAULT_ADDR"]` | likewise, of another tool: weaker than every file |
/// | `"x-expected" = "an address such as `127.0.0.1:80`"` | what an error asks for |
/// | `"x-restart" = true` | a change of this, and of all below, counts after a restart |
/// | `"x-former" = ["bind"]` | names that this key had; they are read, and warned of |
/// | `"x-refused" = ["listen"]` | names that this key had; they are refused, with its present one |
/// | `"x-deprecated" = "set `a.b` instead"` | the key is about to go; it is read, and warned of |
///
/// `#[serde(alias)]` is no part of a schema, and so an unknown key: declare `x-former`.
pub trait Settings: Sized + Send + Sync + 'static {
    /// The type as JSON Schema, 2020-12.
    fn schema() -> Value;

    /// Reads the type from a tree.
    ///
    /// # Errors
    /// The first part that does not fit.
    fn read(tree: &Value) -> Result<Self, ReadError>;

    /// Reports every rule that is broken.
    fn validate(&self, problems: &mut Problems);
}

impl<T> Settings for T
where
    T: DeserializeOwned + JsonSchema + Validate + Send + Sync + 'static,
{
    fn schema() -> Value {
        schemars::SchemaGenerator::default().into_root_schema_for::<T>().to_value()
    }

    fn read(tree: &Value) -> Result<Self, ReadError> {
        read::typed(tree)
    }

    fn validate(&self, problems: &mut Problems) {
        Validate::validate(self, problems);
    }
}

/// Joins two schemas whose types are read from the same tree: a host's and a service's.
///
/// # Panics
/// If both claim the same name, at the top or among the definitions: the code's own mistake.
#[must_use]
pub fn merge_schemas(mut base: Value, other: &Value) -> Value {
    for part in ["properties", "$defs"] {
        let Some(Value::Object(theirs)) = other.get(part) else { continue };
        let ours = base.as_object_mut().expect("a root schema is an object");
        let ours = ours.entry(part).or_insert_with(|| Value::Object(Map::new()));
        let ours = ours.as_object_mut().expect("properties and definitions are objects");
        for (name, place) in theirs {
            let clash = ours.insert(name.clone(), place.clone()).is_some_and(|old| old != *place);
            assert!(!clash, "two settings types both claim `{name}`");
        }
    }
    if let Some(Value::Array(theirs)) = other.get("required") {
        let base = base.as_object_mut().expect("a root schema is an object");
        let ours = base.entry("required").or_insert_with(|| Value::Array(Vec::new()));
        ours.as_array_mut().expect("required is a list").extend(theirs.iter().cloned());
    }
    base
}
