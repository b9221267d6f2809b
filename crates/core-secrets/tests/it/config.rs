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

#[cfg(not(feature = "kubernetes"))]
#[test]
fn a_backend_that_was_not_compiled_in_names_its_feature() {
    let mut config = Config::default();
    config.backend = "kubernetes".into();
    let error = Secrets::builder(config).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the secrets backend `kubernetes` was not compiled in: build with the feature `kubernetes`"
    );
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
