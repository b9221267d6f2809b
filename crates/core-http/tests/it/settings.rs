use core_http::Config;
use serde_json::json;

/// CFG-5: an empty file means the defaults, and what is written is read again.
#[test]
fn defaults_and_round_trip() {
    let config: Config = serde_json::from_value(json!({})).unwrap();
    assert_eq!(config, Config::default());
    let written = serde_json::to_value(&config).unwrap();
    assert_eq!(written["request_timeout"], "30s");
    assert_eq!(written["body_limit"], "2MiB");
    assert_eq!(serde_json::from_value::<Config>(written).unwrap(), config);
}

#[test]
fn settings_are_read_as_people_write_them() {
    let config: Config = serde_json::from_value(json!({
        "request_timeout": "5s",
        "body_limit": "1MiB",
        "trusted_proxies": ["10.0.0.0/8", "fd00::7"],
        "security_headers": { "frame_options": "" },
        "cors": { "allowed_origins": ["https://example.com"], "max_age": "1h" },
    }))
    .unwrap();
    assert_eq!(config.trusted_proxies[1].to_string(), "fd00::7/128");
    assert_eq!(config.cors.max_age, core_types::Duration::from_secs(3600));
    assert_eq!(config.security_headers.frame_options, "");
    assert_eq!(config.security_headers.referrer_policy, "no-referrer");
    let bad = json!({ "trusted_proxies": ["everybody"] });
    let error = serde_json::from_value::<Config>(bad).unwrap_err().to_string();
    assert!(error.starts_with("expected an address such as"), "{error}");
}

/// CFG-5: the schema describes every setting.
#[cfg(feature = "schema")]
#[test]
fn the_schema_names_every_setting() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let written = serde_json::to_value(Config::default()).unwrap();
    for key in written.as_object().unwrap().keys() {
        assert!(schema["properties"][key]["description"].is_string(), "{key}");
    }
    assert_eq!(schema["properties"]["trusted_proxies"]["items"]["type"], "string");
}
