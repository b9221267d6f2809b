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
                "limit": {"type": ["integer", "null"]},
                "mode": {"oneOf": [{"type": "string", "enum": ["fast"]},
                    {"type": "object", "properties": {"custom": {"type": "object"}}}]},
                "pair": {"type": "array", "prefixItems": [text, {"type": "integer"}]}}},
            "port": {"type": "integer"},
            "a": {"type": "object", "properties": {"b_c": text}},
            "a_b": {"type": "object", "properties": {"c": text}},
            "logging": {"type": "object", "properties": {
                "level": {"type": "string", "x-short": ["LOG_LEVEL"]}}},
            "github": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {
                "token": {"type": "string", "x-env": ["GITHUB_TOKEN"]}}}]},
            "labels": {"type": "object", "additionalProperties": text},
            "nodes": {"type": "object", "additionalProperties": {"type": "object", "properties": {
                "bind_address": text, "address": text}}},
            "peers": {"type": "object", "additionalProperties": {"type": "object", "properties": {
                "bind_address": text}}}
        },
        "$defs": {"Server": {"type": "object", "properties": {"bind_address": text, "port": {"type": "integer"}}}}
    }))
}

fn layer(variables: &[(&str, &str)]) -> Found {
    let origin = |name: &str| Origin::Variable { name: name.into() };
    let variables = variables.iter().map(|(n, v)| ((*n).into(), (*v).into(), origin(n)));
    read(variables, "APP", &schema())
}

#[track_caller]
fn check(variables: &[(&str, &str)], expected: &serde_json::Value) {
    let found = layer(variables);
    assert_eq!(found.problems, []);
    assert_eq!(crate::merge::merge(vec![found.node]).value, *expected);
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
    for name in ["EU__BIND_ADDRESS", "EU_BIND_ADDRESS", "_EU__BIND_ADDRESS", "_EU_BIND_ADDRESS"] {
        let name = format!("APP_PEERS_{name}");
        check(&[(&name, "x")], &json!({"peers": {"eu": {"bind_address": "x"}}}));
    }
    let expected = json!({"nodes": {"eu": {"bind_address": "x"}}});
    check(&[("APP_NODES__EU__BIND_ADDRESS", "x")], &expected);
    check(&[("APP__SERVER__PORT", "1")], &json!({"server": {"port": 1}}));
    check(&[("OTHER_SERVER_PORT", "1"), ("PATH", "/bin")], &json!({}));
}

/// CFG-2: a value is read as its target's type, and never guessed.
#[test]
fn values_take_the_targets_type() {
    check(&[("APP_SERVER_BIND_ADDRESS", "007")], &json!({"server": {"bind_address": "007"}}));
    check(&[("APP_STORE_DATA_DIR", "{\"a\": 1}")], &json!({"store": {"data_dir": "{\"a\": 1}"}}));
    check(&[("APP_STORE_DATA_DIR", "TRUE")], &json!({"store": {"data_dir": "TRUE"}}));
    check(&[("APP_STORE_TAGS", "1")], &json!({"store": {"tags": ["1"]}}));
    check(&[("APP_STORE_TAGS", "a, b")], &json!({"store": {"tags": ["a", "b"]}}));
    check(&[("APP_STORE_TAGS", "[\"a,b\"]")], &json!({"store": {"tags": ["a,b"]}}));
    check(
        &[("APP_STORE_TAGS", "[::1]:80,[::2]:80")],
        &json!({"store": {"tags": ["[::1]:80", "[::2]:80"]}}),
    );
    check(&[("APP_STORE_MODE", "fast")], &json!({"store": {"mode": "fast"}}));
    check(&[("APP_STORE_MODE", "{\"custom\": {}}")], &json!({"store": {"mode": {"custom": {}}}}));
    check(&[("APP_STORE_PAIR", "007, 7")], &json!({"store": {"pair": ["007", 7]}}));
    check(&[("APP_STORE_ENABLE_WAL", "TRUE")], &json!({"store": {"enable_wal": true}}));
    let big = u64::MAX;
    check(&[("APP_STORE_LIMIT", &big.to_string())], &json!({"store": {"limit": big}}));
    check(&[("APP_STORE_PORTS", "80,81")], &json!({"store": {"ports": [80, 81]}}));
    check(&[("APP_STORE_LIMIT", "")], &json!({"store": {"limit": null}}));
    check(&[("APP_SERVER", "{\"port\": 1}")], &json!({"server": {"port": 1}}));
    for (name, value) in [
        ("APP_PORT", "x"),
        ("APP_STORE_TAGS", "[a]"),
        ("APP_SERVER_PORT", "x"),
        ("APP_STORE_ENABLE_WAL", "1"),
        ("APP_STORE_PORTS", "a"),
    ] {
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
    let warnings =
        layer(&[("APP_SERVER_BIND_ADRESS", "x"), ("APP_ZZZ", "x"), ("APP_PORTS", "1")]).warnings;
    let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "variable APP_SERVER_BIND_ADRESS: is no setting; did you mean `APP_SERVER_BIND_ADDRESS`?",
            "variable APP_ZZZ: is no setting",
            "variable APP_PORTS: is no setting; did you mean `APP_PORT`?",
        ]
    );
}

/// CFG-2: what Kubernetes sets for a Service of our name is not taken for a key.
#[test]
fn addresses_of_a_service_are_none_of_ours() {
    for (name, value) in [
        ("APP_PORT", "tcp://10.0.0.1:80"),
        ("APP_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("APP_PORT_80_UDP_ADDR", "10.0.0.1"),
        ("APP_SERVICE_HOST", "10.0.0.1"),
        ("APP_SERVICE_PORT", "80"),
        ("APP_SERVICE_PORT_HTTP", "80"),
        ("APP_SERVER_PORT", "tcp://10.0.0.1:80"),
        ("APP_DB_PORT_5432_TCP_PROTO", "tcp"),
        ("APP_DB_SERVICE_HOST", "10.0.0.1"),
    ] {
        let found = layer(&[(name, value)]);
        assert_eq!((found.problems, found.warnings), (Vec::new(), Vec::new()), "{name}");
    }
    check(&[("APP_PORT", "80")], &json!({"port": 80}));
}

/// CFG-2: whatever the order of the environment, a table comes before what stands in it.
#[test]
fn the_order_of_the_environment_does_not_count() {
    let (table, part) = (("APP_SERVER", "{\"port\": 1}"), ("APP_SERVER_PORT", "2"));
    check(&[table, part], &json!({"server": {"port": 2}}));
    check(&[part, table], &json!({"server": {"port": 2}}));
}

proptest! {
    #[test]
    fn no_variable_makes_it_panic(name in "(APP_)?[A-Z_]{0,20}", value in "\\PC{0,20}") {
        let _ = layer(&[(&name, &value)]);
    }
}
