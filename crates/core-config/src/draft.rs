use std::borrow::Cow;
use std::fmt;
use std::hash::RandomState;
use std::marker::PhantomData;
use std::sync::LazyLock;

use core_types::{Secret, SecretRef};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::key::Trail;
use crate::merge::Merged;
use crate::schema::{Schema, View};
use crate::{Effective, Error, Key, Problem, Reference, Settings, read, references};

/// Fingerprints of settings are compared within this process, and cannot be guessed outside of it.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The sources, read and merged; references to secrets still stand in it.
pub struct Draft<T> {
    schema: &'static Schema,
    merged: Merged,
    references: Vec<Reference>,
    warnings: Vec<Problem>,
    settings: PhantomData<fn() -> T>,
}

impl<T: Settings> Draft<T> {
    pub(crate) fn new(
        schema: &'static Schema,
        merged: Merged,
        references: Vec<Reference>,
        warnings: Vec<Problem>,
    ) -> Self {
        Self { schema, merged, references, warnings, settings: PhantomData }
    }

    /// The references to secrets that somebody must resolve before [`build`](Self::build).
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Reads one section ahead of the rest, references left as they are: what tells where secrets
    /// are must be known before they can be read.
    ///
    /// # Errors
    /// [`Error::Refused`] with the mistakes of the whole, if the section cannot be read.
    pub fn section<S: DeserializeOwned + Default>(&self, name: &str) -> Result<S, Error> {
        let Some(section) = self.merged.value.get(name) else { return Ok(S::default()) };
        read::typed(section).map_err(|error| {
            let read = self.typed(&self.merged.value);
            let found = read.err().unwrap_or_else(|| {
                // The whole takes what the section alone does not.
                let key = error
                    .key
                    .segments()
                    .iter()
                    .fold(Key::root().name(name), |key, segment| key.with(segment.clone()));
                vec![Problem::at(&key, self.merged.origin(&key), "expected another value")]
            });
            Error::refused(found)
        })
    }

    /// Refuses the settings for a reason that only the caller can know, at the place where the key
    /// was written.
    ///
    /// # Panics
    /// If the key is malformed: it is the code's own.
    pub fn refuse(&self, key: &str, message: impl Into<String>) -> Error {
        let key = Key::parse(key).expect("a key in the code is well-formed");
        Error::refused(vec![Problem::at(&key, self.merged.origin(&key), message)])
    }

    /// Puts the secrets in their places, reads the type and validates it.
    ///
    /// `resolve` is asked once for each place; its error is a reason for people, without a value.
    ///
    /// # Errors
    /// [`Error::Refused`] with every mistake.
    pub fn build(
        self,
        resolve: impl Fn(&SecretRef) -> Result<Secret<String>, String>,
    ) -> Result<Loaded<T>, Error> {
        let mut resolved = Cow::Borrowed(&self.merged.value);
        let mut unresolved = None;
        if !self.references.is_empty() {
            let tree = resolved.to_mut();
            unresolved = references::substitute(tree, &self.references, &resolve).err();
        }
        let settings = self.typed(&resolved);
        let effective = Effective::new(self.schema, &self.merged, &resolved, &HASHER);
        let mut secrets = Vec::new();
        self.secrets(Some(&self.schema.view()), &resolved, &Trail::Root, &mut secrets);
        if let Cow::Owned(mut resolved) = resolved {
            references::wipe(&mut resolved);
        }
        match (settings, unresolved) {
            (Ok(settings), None) => {
                Ok(Loaded { settings, effective, secrets, warnings: self.warnings })
            }
            (settings, unresolved) => {
                let mut problems = unresolved.unwrap_or_default();
                // What stands in for a secret that is missing may break rules of its own.
                Problem::add_new(&mut problems, settings.err().unwrap_or_default());
                Err(Error::refused(problems))
            }
        }
    }

    fn typed(&self, tree: &Value) -> Result<T, Vec<Problem>> {
        read::settings(tree, &self.merged, self.schema, &self.references)
    }

    /// Every text that is secret by its type, or refers to a secret.
    fn secrets(
        &self,
        view: Option<&View<'_>>,
        value: &Value,
        key: &Trail<'_>,
        secrets: &mut Vec<Secret<String>>,
    ) {
        match value {
            Value::String(text) if !text.is_empty() => {
                let refers = || {
                    let key = key.to_key();
                    self.references.iter().any(|reference| reference.key == key)
                };
                if view.is_some_and(View::is_secret) || (!self.references.is_empty() && refers()) {
                    secrets.push(Secret::from(&**text));
                }
            }
            Value::Array(list) => {
                for (index, item) in list.iter().enumerate() {
                    let below = view.and_then(|view| view.item(index));
                    self.secrets(below.as_ref(), item, &key.index(index), secrets);
                }
            }
            Value::Object(table) => {
                for (name, item) in table {
                    let below = view.and_then(|view| view.member(name));
                    self.secrets(below.as_ref(), item, &key.name(name), secrets);
                }
            }
            _ => {}
        }
    }
}

/// Names alone: values may be secrets.
impl<T> fmt::Debug for Draft<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("references", &self.references)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Settings that were read and found valid.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded<T> {
    /// The settings.
    pub settings: T,
    /// Their values as they may be shown, with their origins.
    pub effective: Effective,
    /// The values that must never be seen, for those who look for them: everything that is secret
    /// by its type, and every value that refers to a secret.
    pub secrets: Vec<Secret<String>>,
    /// What was noticed and does not refuse the start: variables with our prefix that mean nothing.
    pub warnings: Vec<Problem>,
}
