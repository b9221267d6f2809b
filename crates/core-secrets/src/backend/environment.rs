use std::collections::HashMap;
use std::fmt;

use core_types::Secret;

use super::{Answer, Backend, BackendError, SecretData};

/// Environment variables, as the host hands them in.
///
/// Path and key, joined by `_`, in upper case, with `_` for whatever is neither letter nor digit:
///
/// | reference | variable |
/// |---|---|
/// | `secret://API_KEY` | `API_KEY` |
/// | `secret://github-credentials:token` | `GITHUB_CREDENTIALS_TOKEN` |
/// | `secret://app/database:password` | `APP_DATABASE_PASSWORD` |
///
/// A variable that is set to nothing counts as not set, as shells and Compose files mean it. The
/// variables are those of the start: a process cannot be given new ones.
///
/// ```
/// use core_secrets::backend::Environment;
///
/// let environment = Environment::new([("API_KEY".to_owned(), "hunter2".to_owned())]);
/// assert_eq!(Environment::variable("api-key", None), "API_KEY");
/// ```
pub struct Environment {
    variables: HashMap<String, Secret<String>>,
}

impl Environment {
    /// Keeps the variables.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let variables = variables
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, Secret::new(value)))
            .collect();
        Self { variables }
    }

    /// The variable that holds the secret at a path and a key.
    pub fn variable(path: &str, key: Option<&str>) -> String {
        let joined = key.map_or_else(|| path.to_owned(), |key| format!("{path}_{key}"));
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        joined.chars().map(letter).collect()
    }
}

impl Backend for Environment {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        let name = Self::variable(path, key);
        let answer = match self.variables.get(&name) {
            Some(value) => Ok(SecretData::new().with(key, value.clone())),
            None => Err(BackendError::not_found(format!("no variable {name}"))),
        };
        Box::pin(std::future::ready(answer))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}
