#![cfg(feature = "serde")]

use core_metrics::Config;

#[test]
fn settings_are_read_and_written() {
    let config: Config = serde_json::from_str("{}").unwrap();
    assert_eq!(config, Config::default());
    let text = r#"{"label_budget":10,"label_budgets":{"x_total":20},"name_budget":30}"#;
    let config: Config = serde_json::from_str(text).unwrap();
    assert_eq!(config.label_budgets["x_total"], 20);
    assert_eq!(serde_json::to_string(&config).unwrap(), text);
    assert!(serde_json::from_str::<Config>(r#"{"label_budget":-1}"#).is_err());
}

#[cfg(feature = "schema")]
#[test]
fn settings_are_described() {
    let schema = schemars::schema_for!(Config);
    let schema = serde_json::to_value(schema).unwrap();
    for field in ["label_budget", "label_budgets", "name_budget"] {
        assert!(schema["properties"][field]["description"].is_string(), "{field}");
    }
}
