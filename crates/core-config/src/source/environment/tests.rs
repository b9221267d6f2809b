use super::*;
use proptest::prelude::*;
use serde_json::json;

fn schema() -> Schema {
    let text = json!({"type": "string"});
    Schema::new(json!({
        "type": "object",
        "properties": {
            "server": {"$ref": "#/$defs/Server"},
            "store": {"type": "object", "properties": {
                "enable_wal": {"type": "boolean"}, "data_dir": text, "tags": {"type": "array", "items": text},
                "ports": {"type": "array", "items": {"type": "integer"}},
                "limit": {"type": ["integer", "null"]}}},
            "a": {"type": "object", "properties": {"b_c": text}},
            "a_b": {"type": "object", "properties": {"c": text}},
            "logging": {"type": "object", "properties": {
                "level": {"type": "string", "x-short": ["LOG_LEVEL"]}}},
            "github": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
                "token": {"type": "string", "x-env": ["GITHUB_TOKEN"]}}}]},
            "labels": {"type": "object", "additionalProperties": text},
            "peers": {"type": "object", "additionalProperties": {"type": "object", "properties": {
                "bind_address": text}}}
        },
        "$defs": {"Server": {"type": "object", "properties": {"bind_address": text, "port": {"type": "integer"}}}}
    }))
}

fn layer(variables: &[(&str, &str)]) -> Found {
    let variables: Vec<_> = variables.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
    read(&variables, "APP", &schema(), &|name| Origin::Variable { name: name.into() })
}

#[track_caller]
fn check(variables: &[(&str, &str)], expected: &serde_json::Value) {
    let found = layer(variables);
    assert_eq!(found.problems, []);
    assert_eq!(crate::merge::merge(&[found.node]).value, *expected);
}

/// CFG-2: single underscores reach keys that hold underscores, double ones work too.
#[test]
fn names_are_matched_against_the_schema() {
    check(&[("APP_SERVER_BIND_ADDRESS", "x")], &json!({"server": {"bind_address": "x"}}));
    check(&[("APP_SERVER__BIND_ADDRESS", "x")], &json!({"server": {"bind_address": "x"}}));
    check(&[("APP_STORE_ENABLE_WAL", "true")], &json!({"store": {"enable_wal": true}}));
    check(&[("APP_GITHUB_TOKEN", "t")], &json!({"github": {"token": "t"}}));
    check(&[("APP_LABELS_TEAM_NAME", "blue")], &json!({"labels": {"team_name": "blue"}}));
    check(
        &[("APP_PEERS_EU_WEST_BIND_ADDRESS", "x")],
        &json!({"peers": {"eu_west": {"bind_address": "x"}}}),
    );
    check(&[("OTHER_SERVER_PORT", "1"), ("PATH", "/bin")], &json!({}));
}

/// CFG-2: a value is read as its target's type, and never guessed.
#[test]
fn values_take_the_targets_type() {
    check(&[("APP_SERVER_BIND_ADDRESS", "007")], &json!({"server": {"bind_address": "007"}}));
    check(&[("APP_STORE_DATA_DIR", "TRUE")], &json!({"store": {"data_dir": "TRUE"}}));
    check(&[("APP_STORE_TAGS", "1")], &json!({"store": {"tags": ["1"]}}));
    check(&[("APP_STORE_TAGS", "a, b")], &json!({"store": {"tags": ["a", "b"]}}));
    check(&[("APP_STORE_TAGS", "[\"a,b\"]")], &json!({"store": {"tags": ["a,b"]}}));
    check(&[("APP_STORE_PORTS", "80,81")], &json!({"store": {"ports": [80, 81]}}));
    check(&[("APP_STORE_LIMIT", "")], &json!({"store": {"limit": null}}));
    check(&[("APP_SERVER", "{\"port\": 1}")], &json!({"server": {"port": 1}}));
    for (name, value) in
        [("APP_SERVER_PORT", "x"), ("APP_STORE_ENABLE_WAL", "1"), ("APP_STORE_PORTS", "a")]
    {
        let problems = layer(&[(name, value)]).problems;
        assert_eq!(problems.len(), 1);
        assert!(problems[0].to_string().contains(name), "{}", problems[0]);
    }
}

/// CFG-2: an ambiguous name is an error that shows the candidates.
#[test]
fn an_ambiguous_name_is_refused() {
    let problems = layer(&[("APP_A_B_C", "x")]).problems;
    let message = "variable APP_A_B_C: is ambiguous: it may mean `a.b_c` or `a_b.c`";
    assert_eq!(problems[0].to_string(), message);
    check(&[("APP_A__B_C", "x")], &json!({"a": {"b_c": "x"}}));
}

#[test]
fn declared_names_count_and_the_long_one_wins() {
    check(&[("APP_LOG_LEVEL", "debug")], &json!({"logging": {"level": "debug"}}));
    let both = [("APP_LOGGING_LEVEL", "info"), ("APP_LOG_LEVEL", "debug")];
    check(&both, &json!({"logging": {"level": "info"}}));
    check(&[("GITHUB_TOKEN", "t")], &json!({"github": {"token": "t"}}));
    check(
        &[("GITHUB_TOKEN", "foreign"), ("APP_GITHUB_TOKEN", "ours")],
        &json!({"github": {"token": "ours"}}),
    );
}

#[test]
fn a_name_that_means_nothing_warns() {
    let warnings = layer(&[
        ("APP_SERVER_BIND_ADRESS", "x"),
        ("APP_ZZZ", "x"),
        ("APP_PORT", "tcp://10.0.0.1:80"),
        ("APP_PORT_80_TCP", "x"),
        ("APP_SERVICE_HOST", "x"),
        ("APP_SERVICE_PORT_HTTP", "x"),
    ])
    .warnings;
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "variable APP_SERVER_BIND_ADRESS: is no setting; did you mean `APP_SERVER_BIND_ADDRESS`?",
            "variable APP_ZZZ: is no setting",
        ]
    );
}

proptest! {
    #[test]
    fn no_variable_makes_it_panic(name in "(APP_)?[A-Z_]{0,20}", value in "\\PC{0,20}") {
        let _ = layer(&[(&name, &value)]);
    }
}
