/// What names of credentials end in.
const ENDINGS: [&str; 15] = [
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

/// Whether a setting, a log field or a header is named like a credential, whatever its type says:
/// `db_password`, `X-Api-Key`, `github.token`. Case and dashes do not count.
///
/// ```
/// assert!(core_types::is_credential("Authorization"));
/// assert!(!core_types::is_credential("tokens_per_second"));
/// ```
pub fn is_credential(name: &str) -> bool {
    let normal = |byte: &u8| if *byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    ENDINGS.iter().any(|ending| {
        let start = name.len().checked_sub(ending.len());
        let tail = start.and_then(|start| name.as_bytes().get(start..));
        tail.is_some_and(|tail| tail.iter().map(normal).eq(ending.bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::is_credential;

    /// LOG-7, CFG-4: credentials are known by their names.
    #[test]
    fn credentials_are_known_by_their_names() {
        for masked in ["password", "db_password", "github.token", "X-Api-Key", "Authorization"] {
            assert!(is_credential(masked), "{masked}");
        }
        for shown in ["user", "tokens", "password_age", "key", "", "é"] {
            assert!(!is_credential(shown), "{shown}");
        }
    }
}
