use super::*;
use serde_json::json;

fn check(place: &Value, visit: impl FnOnce(View<'_>)) {
    let schema = Schema::new(json!({"type": "object", "properties": {"x": place}}));
    visit(schema.view().member("x").expect("a place"));
}

/// A type that holds itself, twice, has an end.
#[test]
fn a_type_that_holds_itself_has_leaves() {
    let me = json!({"anyOf": [{"$ref": "#"}, {"type": "null"}]});
    let schema = Schema::new(json!({
        "type": "object", "properties": {"left": me, "right": me, "value": {"type": "integer"}}
    }));
    let keys: Vec<String> = schema.leaves().iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys, ["left", "right", "value"]);
    let endless = Schema::new(json!({"$ref": "#"}));
    assert!(endless.view().allows("string"));
}

#[test]
fn alternatives_stay_apart() {
    let tagged = |tag: &str, limit: &str| {
        json!({"type": "object", "required": ["kind"],
            "properties": {"kind": {"const": tag, "type": "string"}, "limit": {"type": limit}}})
    };
    check(&json!({"oneOf": [tagged("a", "integer"), tagged("b", "string")]}), |view| {
        assert!(view.is_union() && !view.is_closed() && view.required().is_empty());
        let limit = view.member("limit").unwrap();
        assert!(limit.allows("integer") && limit.allows("string"));
        let narrow = view.narrow(&json!({"kind": "b", "limit": 1}));
        assert!(narrow.is_closed() && !narrow.member("limit").unwrap().allows("integer"));
        assert_eq!(narrow.required(), ["kind"]);
        assert!(view.narrow(&json!({"kind": "c"})).is_union());
    });
    // A map is open, a table with names is closed, also where there may be nothing.
    check(&json!({"type": "object", "additionalProperties": {"type": "string"}}), |view| {
        assert!(!view.is_closed() && view.member("any").unwrap().allows("string"));
    });
    check(&json!({"anyOf": [{"type": "null"}, tagged("a", "integer")]}), |view| {
        assert!(view.is_closed() && !view.is_union() && view.member("any").is_none());
    });
    // A bound holds for its own alternative alone.
    check(
        &json!({"anyOf": [{"type": "integer", "minimum": 5}, {"type": "number", "maximum": -1}]}),
        |view| {
            assert!(view.admits(5.0) && view.admits(-1.0) && !view.admits(4.0));
        },
    );
}

/// CFG-4: what is part of a secret is one, and so is what one alternative says is one.
#[test]
fn secrets_reach_downward() {
    let secret = json!({"writeOnly": true, "type": "array", "items": {"type": "integer"}});
    check(&secret, |view| assert!(view.item(3).unwrap().is_secret()));
    check(&json!({"anyOf": [{"type": "string"}, {"type": "string", "writeOnly": true}]}), |view| {
        assert!(view.is_secret());
    });
    check(
        &json!({"type": "array", "prefixItems": [{"type": "string"}, {"writeOnly": true}]}),
        |view| {
            assert!(!view.item(0).unwrap().is_secret() && view.item(1).unwrap().is_secret());
            assert!(view.item(2).is_none());
        },
    );
    let numbers = json!({"type": "object", "additionalProperties": false,
        "patternProperties": {"^\\d+$": {"writeOnly": true}}});
    check(&numbers, |view| assert!(view.member("80").unwrap().is_secret()));
}
