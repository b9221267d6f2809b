/// Names at whose end a credential is to be expected.
const CREDENTIALS: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "access_key",
    "secret_key",
    "credential",
    "credentials",
    "authorization",
    "cookie",
    "set_cookie",
];

/// Which fields are masked, and how long a value may be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    redact: Vec<String>,
    pub(crate) max_value: usize,
}

impl Rules {
    pub(crate) fn new(redact: &[String], max_value: usize) -> Self {
        let redact = redact.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { redact, max_value }
    }

    /// Whether the value of a field must not be seen.
    pub(crate) fn masks(&self, name: &str) -> bool {
        let ends_with = |ending: &str| {
            let start = name.len().checked_sub(ending.len());
            let tail = start.and_then(|start| name.as_bytes().get(start..));
            tail.is_some_and(|tail| {
                tail.iter().zip(ending.bytes()).all(|(a, b)| {
                    let a = if *a == b'-' { b'_' } else { a.to_ascii_lowercase() };
                    a == b
                })
            })
        };
        CREDENTIALS.iter().any(|credential| ends_with(credential))
            || self.redact.iter().any(|redact| name.eq_ignore_ascii_case(redact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-7: fields named like credentials are masked; the list can be added to.
    #[test]
    fn credentials_are_known_by_their_names() {
        let rules = Rules::new(&["Ssn".into()], 100);
        for masked in
            ["password", "db_password", "github.token", "X-Api-Key", "Authorization", "ssn"]
        {
            assert!(rules.masks(masked), "{masked}");
        }
        for shown in ["user", "tokens", "password_age", "key", "", "é"] {
            assert!(!rules.masks(shown), "{shown}");
        }
    }
}
