use std::fmt;

/// Names of backends in the order in which they are asked: `env`, or `[env, file]`.
///
/// One text may hold several names divided by commas, as a variable has to.
///
/// ```
/// # use core_secrets::Backends;
/// assert_eq!(Backends::from("env, file").names(), ["env", "file"]);
/// assert_eq!(Backends::from(["env", "file"]), Backends::from("env,file"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Backends(Vec<String>);

impl Backends {
    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl Default for Backends {
    fn default() -> Self {
        Self::from("env")
    }
}

impl From<&str> for Backends {
    fn from(text: &str) -> Self {
        text.split(',').collect()
    }
}

impl<const N: usize> From<[&str; N]> for Backends {
    fn from(names: [&str; N]) -> Self {
        names.into_iter().collect()
    }
}

/// Names without the space around them; empty ones and repetitions are left out.
impl<S: AsRef<str>> FromIterator<S> for Backends {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut kept = Vec::<String>::new();
        for name in names {
            let name = name.as_ref().trim();
            if !name.is_empty() && !kept.iter().any(|known| known == name) {
                kept.push(name.into());
            }
        }
        Self(kept)
    }
}

impl fmt::Debug for Backends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

/// A text for one name, a list for several.
#[cfg(feature = "serde")]
impl serde::Serialize for Backends {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &*self.0 {
            [name] => serializer.serialize_str(name),
            names => serializer.collect_seq(names),
        }
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Backends {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Backends;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a backend, or a list of names")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Backends, E> {
                Ok(text.into())
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut names: A,
            ) -> Result<Backends, A::Error> {
                std::iter::from_fn(|| names.next_element::<String>().transpose()).collect()
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Backends {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Backends".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["string", "array"],
            "minLength": 1,
            "items": { "type": "string", "minLength": 1 },
            "minItems": 1,
            "examples": ["env", ["env", "file"]]
        })
    }
}
