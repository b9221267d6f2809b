//! What an operator may write.

use core_health::Config;

#[test]
fn what_is_left_out_has_its_default() {
    let config: Config = serde_json::from_str(r#"{"interval": "5s", "time_to_live": 60}"#).unwrap();
    let mut expected = Config::default();
    expected.interval = core_types::Duration::from_secs(5);
    expected.time_to_live = Some(core_types::Duration::from_secs(60));
    assert_eq!(config, expected);
    let written = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(
        written,
        r#"{"interval":"10s","timeout":"3s","time_to_live":null,"rise":1,"fall":2}"#
    );
    assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), Config::default());
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_names_every_field_and_its_least() {
    let schema = schemars::schema_for!(Config);
    let fields = schema.get("properties").and_then(|fields| fields.as_object()).unwrap();
    assert_eq!(
        fields.keys().collect::<Vec<_>>(),
        ["fall", "interval", "rise", "time_to_live", "timeout"]
    );
    assert_eq!(fields["fall"]["minimum"], 1);
    assert_eq!(fields["fall"]["default"], 2);
}
