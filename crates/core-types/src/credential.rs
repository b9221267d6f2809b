/// What names of credentials end in, without what divides their words.
const ENDINGS: [&str; 13] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "privatekey",
    "accesskey",
    "secretkey",
    "credential",
    "credentials",
    "authorization",
    "cookie",
];

/// Whether a setting, a log field or a header is named like a credential, whatever its type says:
/// `db_password`, `X-Api-Key`, `privateKey`, `github.token`. Case, dashes and underscores do not
/// count.
///
/// ```
/// assert!(core_types::is_credential("Authorization"));
/// assert!(!core_types::is_credential("tokens_per_second"));
/// ```
pub fn is_credential(name: &str) -> bool {
    let letters = || name.bytes().rev().filter(|byte| !b"-_".contains(byte));
    ENDINGS.iter().any(|ending| {
        let tail = letters().take(ending.len()).map(|byte| byte.to_ascii_lowercase());
        tail.eq(ending.bytes().rev())
    })
}

#[cfg(test)]
mod tests {
    use super::is_credential;

    /// LOG-7, CFG-4: credentials are known by their names.
    #[test]
    fn credentials_are_known_by_their_names() {
        let masked =
            "password db_password github.token X-Api-Key Authorization privateKey Set-Cookie";
        for masked in masked.split(' ') {
            assert!(is_credential(masked), "{masked}");
        }
        for shown in ["user", "tokens", "password_age", "key", "", "é"] {
            assert!(!is_credential(shown), "{shown}");
        }
    }
}
