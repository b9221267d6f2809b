//! What an operator may write.

use core_secrets::{Backends, Config, Error, Secrets};
use core_types::Duration;

#[test]
fn defaults_are_those_of_the_founding_documents() {
    let config = Config::default();
    assert_eq!(config.backend.names(), ["env"]);
    assert!(!config.auto_refresh);
    assert_eq!(config.refresh_interval, Duration::from_secs(300));
    assert_eq!((config.retries, config.retry_delay), (3, Duration::from_secs(1)));
    assert_eq!(config.file.directory.to_str(), Some("/run/secrets"));
}

#[test]
fn names_are_trimmed_and_asked_once() {
    assert_eq!(Backends::from(" vault , env,, vault").names(), ["vault", "env"]);
    assert!(Backends::from(" , ").names().is_empty());
}

#[test]
fn ranges_are_checked() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        config.backend = "file".into();
        change(&mut config);
        match Secrets::builder(config).build() {
            Err(error @ (Error::OutOfRange { .. } | Error::NoBackend)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused(|config| config.refresh_interval = Duration::from_millis(999)),
        "`refresh_interval` must be from 1s to 365d"
    );
    refused(|config| config.refresh_interval = Duration::from_secs(u64::MAX));
    refused(|config| config.retries = 11);
    refused(|config| config.retry_delay = Duration::from_secs(61));
    refused(|config| config.retry_budget = Duration::from_millis(1));
    refused(|config| config.retry_budget = Duration::from_secs(601));
    assert_eq!(refused(|config| config.backend = "".into()), "no secrets backend is configured");
}

#[cfg(feature = "kubernetes")]
#[test]
fn the_ranges_of_a_backend_count_when_it_is_used() {
    let build = |backend: &str, namespace: &str, milliseconds| {
        let mut config = Config::default();
        config.backend = backend.into();
        config.kubernetes.namespace = namespace.into();
        config.kubernetes.request_timeout = Duration::from_millis(milliseconds);
        Secrets::builder(config).build()
    };
    for (namespace, milliseconds, expected) in [
        ("a/b", 2000, "`kubernetes.namespace` must be lower-case letters, digits and `-`"),
        ("", 99, "`kubernetes.request_timeout` must be from 100ms to 1m"),
        ("a", 60_001, "`kubernetes.request_timeout` must be from 100ms to 1m"),
    ] {
        let error = build("kubernetes", namespace, milliseconds).unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(build("file", namespace, milliseconds).is_ok());
    }
}

/// SEC-1: a backend that a feature brings, and which was not compiled in, refuses the start and names
/// the feature.
#[test]
fn a_backend_that_was_not_compiled_in_names_its_feature() {
    for (name, is_compiled_in) in [
        ("aws", cfg!(feature = "aws")),
        ("azure", cfg!(feature = "azure")),
        ("encrypted", cfg!(feature = "encrypted")),
        ("gcp", cfg!(feature = "gcp")),
        ("kubernetes", cfg!(feature = "kubernetes")),
        ("vault", cfg!(feature = "vault")),
    ] {
        let mut config = Config::default();
        config.backend = name.into();
        let told = Secrets::builder(config).build().map_err(|error| error.to_string());
        let refused = format!(
            "the secrets backend `{name}` was not compiled in: build with the feature `{name}`"
        );
        assert_eq!(told.is_err_and(|told| told == refused), !is_compiled_in, "{name}");
    }
}

#[cfg(feature = "azure")]
#[test]
fn an_application_of_azure_says_which_it_is() {
    let refused = |change: fn(&mut core_secrets::AzureConfig)| {
        let mut config = Config::default();
        config.backend = "azure".into();
        config.azure.url = "https://name.vault.azure.net".into();
        change(&mut config.azure);
        Secrets::builder(config).build().err().map(|error| error.to_string())
    };
    assert_eq!(refused(|_| ()), None, "a machine needs nothing else");
    for (change, told) in [
        ((|azure| azure.url.clear()) as fn(&mut core_secrets::AzureConfig), "url"),
        (|azure| azure.authority = "login.microsoftonline.com".into(), "authority"),
        (|azure| azure.client_secret = Some("canary".into()), "tenant_id"),
        (
            |azure| {
                azure.federated_token_file = Some("token".into());
                azure.tenant_id = "tenant".into();
            },
            "client_id",
        ),
        (|azure| azure.client_id = "a&b".into(), "client_id"),
        (|azure| azure.request_timeout = Duration::from_millis(99), "request_timeout"),
    ] {
        let text = refused(change).unwrap();
        assert!(text.starts_with(&format!("`azure.{told}` must be ")), "{text}");
    }
}

#[cfg(feature = "gcp")]
#[test]
fn google_is_asked_for_one_project() {
    for (project, is_right) in [("", false), ("a/b", false), ("project-1", true), ("123", true)] {
        let mut config = Config::default();
        config.backend = "gcp".into();
        config.gcp.project = project.into();
        assert_eq!(Secrets::builder(config).build().is_ok(), is_right, "{project}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_file_may_name_one_backend_or_several() {
    let read = |text: &str| serde_json::from_str::<Config>(text).unwrap();
    let config = read(r#"{"backend":"vault","auto_refresh":true,"refresh_interval":3600}"#);
    assert_eq!(config.backend, "vault".into());
    assert_eq!(config.refresh_interval, Duration::from_secs(3600));
    assert_eq!(read("{}"), Config::default());
    for text in [r#"{"backend":["env","file"]}"#, r#"{"backend":"env, file"}"#] {
        assert_eq!(read(text).backend, ["env", "file"].into());
    }
    assert_eq!(
        read(r#"{"file":{"directory":"/etc/keys"},"retry_delay":"250ms"}"#).retry_delay,
        Duration::from_millis(250)
    );
    for config in [Config::default(), read(r#"{"backend":["env","file"]}"#)] {
        assert_eq!(read(&serde_json::to_string(&config).unwrap()), config);
    }
    assert!(serde_json::from_str::<Config>(r#"{"backend":7}"#).is_err());
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_knows_both_forms_and_the_defaults() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let backend = &schema["properties"]["backend"];
    assert_eq!(backend["type"], serde_json::json!(["string", "array"]));
    assert_eq!(backend["default"], "env");
    assert_eq!(schema["properties"]["refresh_interval"]["default"], "5m");
}
