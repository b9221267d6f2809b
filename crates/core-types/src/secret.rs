use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

/// What stands in the place of a secret wherever one would be printed.
pub const REDACTED: &str = "[REDACTED]";

/// A value that must not be seen.
///
/// - `Debug` prints `[REDACTED]`; there is no `Display` and no `Serialize`, so a secret cannot be
///   logged, formatted or dumped by accident.
/// - The memory is wiped on drop. What was copied out by [`expose`](Self::expose) is not.
/// - `==` takes the same time wherever the first difference is. The length is not hidden.
///
/// ```
/// let password = core_types::Secret::new(String::from("hunter2"));
/// assert_eq!(format!("{password:?}"), "[REDACTED]");
/// assert_eq!(password.expose(), "hunter2");
/// println!("{}", password.expose());
/// ```
///
/// What would show it does not compile (SEC-6):
///
/// ```compile_fail,E0277
/// let password = core_types::Secret::new(String::from("hunter2"));
/// println!("{}", password);
/// ```
///
/// ```compile_fail,E0277
/// let password = core_types::Secret::new(String::from("hunter2"));
/// serde_json::to_string(&password);
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self(value.into())
    }
}

/// The error of the inner type is not passed on: serde's own quote what was found.
#[cfg(feature = "serde")]
impl<'de, T: Zeroize + serde::Deserialize<'de>> serde::Deserialize<'de> for Secret<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let refused = |_| serde::de::Error::custom("what was found is no such secret");
        T::deserialize(deserializer).map(Self).map_err(refused)
    }
}

/// Marked `writeOnly` and `format: password`, by which dumps know what to mask.
#[cfg(feature = "schema")]
impl<T: Zeroize + schemars::JsonSchema> schemars::JsonSchema for Secret<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Secret_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = T::json_schema(generator);
        schema.insert("writeOnly".into(), true.into());
        schema.insert("format".into(), "password".into());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// SEC-6: no debug output shows the value, alone or inside another type.
    #[test]
    fn debug_is_masked() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only its Debug output matters")]
        struct Holder {
            token: Secret<String>,
        }
        let holder = Holder { token: "canary".into() };
        assert_eq!(format!("{holder:?}"), "Holder { token: [REDACTED] }");
        assert!(!format!("{holder:#?}").contains("canary"));
    }

    /// SEC-6: an error shows neither a text nor a number that should have been a secret.
    #[cfg(feature = "serde")]
    #[test]
    fn errors_are_masked() {
        let number = serde_json::from_str::<Secret<String>>("4242").unwrap_err();
        let text = serde_json::from_str::<Secret<Vec<u8>>>("\"canary\"").unwrap_err();
        for error in [number.to_string(), text.to_string()] {
            assert!(!error.contains("4242") && !error.contains("canary"), "{error}");
        }
    }

    /// SEC-6: memory is wiped on drop.
    #[test]
    fn drop_wipes() {
        struct Probe(Rc<Cell<bool>>);
        impl Zeroize for Probe {
            fn zeroize(&mut self) {
                self.0.set(true);
            }
        }
        let wiped = Rc::new(Cell::new(false));
        drop(Secret::new(Probe(Rc::clone(&wiped))));
        assert!(wiped.get());
    }

    #[test]
    fn equality_compares_values() {
        let secret = |text: &str| Secret::<String>::from(text);
        assert_eq!(secret("a"), secret("a"));
        assert_ne!(secret("a"), secret("b"));
        assert_ne!(secret("a"), secret("ab"));
    }
}
