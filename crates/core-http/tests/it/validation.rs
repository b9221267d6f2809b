use core_http::{Config, Stack};

use crate::support::config;

/// One list of the CORS settings.
type List = fn(&mut core_http::Cors) -> &mut Vec<String>;

#[track_caller]
fn refused(message: &str, change: impl FnOnce(&mut Config)) {
    let config = config(change);
    assert_eq!(config.validate().unwrap_err().to_string(), message);
    assert_eq!(Stack::new(config).unwrap_err().to_string(), message);
}

/// HTTP-3: `*` with credentials is refused, wherever it stands.
#[test]
fn wildcards_and_credentials_do_not_go_together() {
    let settings: [(&str, List); 4] = [
        ("cors.allowed_origins", |cors| &mut cors.allowed_origins),
        ("cors.allowed_methods", |cors| &mut cors.allowed_methods),
        ("cors.allowed_headers", |cors| &mut cors.allowed_headers),
        ("cors.exposed_headers", |cors| &mut cors.exposed_headers),
    ];
    for (setting, list) in settings {
        let message =
            format!("`{setting}` must not contain `*` while `cors.allow_credentials` is on");
        refused(&message, |config| {
            config.cors.allow_credentials = true;
            list(&mut config.cors).push("*".into());
        });
        let alone = config(|config| list(&mut config.cors).push("*".into()));
        assert!(alone.validate().is_ok(), "{setting}");
    }
}

/// HTTP-3: an origin that no browser would send is refused at once, not silently useless.
#[test]
fn origins_are_checked() {
    for good in
        ["https://example.com", "http://localhost:3000", "https://[::1]:8443", "tauri://localhost"]
    {
        config(|config| config.cors.allowed_origins = vec![good.into()]).validate().unwrap();
    }
    for bad in [
        "",
        "null",
        "example.com",
        "https://example.com/",
        "https://example.com/path",
        "https://Example.com",
        "https://example.com:443",
        "http://example.com:80",
        "https://user@example.com",
        "https://*.example.com/?",
    ] {
        let config = config(|config| config.cors.allowed_origins = vec![bad.into()]);
        let error = config.validate().unwrap_err().to_string();
        assert!(error.starts_with(&format!("`cors.allowed_origins` contains `{bad}`")), "{error}");
    }
}

/// HTTP-3: what cannot be sent is refused before it is in force.
#[test]
fn header_texts_are_checked() {
    refused("`security_headers.frame_options` is not a valid header value", |config| {
        config.security_headers.frame_options = "line\nbreak".into();
    });
    refused("`security_headers.strict_transport_security` is not a valid header value", |config| {
        config.security_headers.strict_transport_security = "\0".into();
    });
    refused("`cors.allowed_headers` contains `x y`, which is not a header name", |config| {
        config.cors.allowed_headers = vec!["x y".into()];
    });
    refused("`cors.allowed_methods` contains `GE T`, which is not an HTTP method", |config| {
        config.cors.allowed_methods = vec!["GE T".into()];
    });
}

/// HTTP-3: who trusts everybody would believe every forged address.
#[test]
fn nobody_trusts_everybody() {
    for network in ["0.0.0.0/0", "::/0"] {
        let message = format!(
            "`trusted_proxies` contains `{network}`, by which every client could forge its address"
        );
        refused(&message, |config| config.trusted_proxies = vec![network.parse().unwrap()]);
    }
}
