//! The published schema of the answers, and answers of every kind.

use core_health::{CheckOptions, Report};
use http::Method;
use serde_json::{Map, Value, json};

use crate::{ask, health, run_for, seconds};

const SCHEMA: &str = include_str!("../../../../docs/health.schema.json");

/// The words of a schema (JSON Schema 2020-12) that a value breaks. Knows those that ours uses, and
/// no other. A word about another type holds.
fn broken(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let object = || value.as_object().cloned().unwrap_or_else(Map::new);
    let array = || value.as_array().cloned().unwrap_or_default();
    let holds = |word: &String, said: &Value| match word.as_str() {
        "$defs" | "$schema" | "description" | "title" => true,
        "$ref" => {
            let pointer = said.as_str().unwrap().trim_start_matches('#');
            broken(root, root.pointer(pointer).expect("what is referred to"), value).is_empty()
        }
        "additionalProperties" => {
            let known = schema.get("properties").and_then(Value::as_object);
            let mut others = object()
                .into_iter()
                .filter(|(key, _)| known.is_none_or(|known| !known.contains_key(key)));
            others.all(|(_, other)| match said {
                Value::Bool(allowed) => *allowed,
                of => broken(root, of, &other).is_empty(),
            })
        }
        "enum" => said.as_array().unwrap().contains(value),
        "items" => array().iter().all(|i| broken(root, said, i).is_empty()),
        "maxItems" => array().len() as u64 <= said.as_u64().unwrap(),
        "minItems" => !value.is_array() || array().len() as u64 >= said.as_u64().unwrap(),
        "minimum" => value.as_f64().is_none_or(|value| value >= said.as_f64().unwrap()),
        "oneOf" => {
            let fits = said.as_array().unwrap().iter().map(|one| broken(root, one, value));
            fits.filter(Vec::is_empty).count() == 1
        }
        "pattern" => value.as_str().is_none_or(|text| fits(text, said.as_str().unwrap())),
        "properties" => {
            said.as_object().unwrap().iter().all(|(key, of)| {
                value.get(key).is_none_or(|value| broken(root, of, value).is_empty())
            })
        }
        "propertyNames" => object().keys().all(|name| broken(root, said, &json!(name)).is_empty()),
        "required" if !value.is_object() => true,
        "required" => {
            said.as_array().unwrap().iter().all(|key| value.get(key.as_str().unwrap()).is_some())
        }
        "type" => match said.as_str().unwrap() {
            "array" => value.is_array(),
            "number" => value.is_number(),
            "object" => value.is_object(),
            "string" => value.is_string(),
            other => panic!("type {other}"),
        },
        word => panic!("the schema says `{word}`"),
    };
    let words = schema.as_object().unwrap().iter();
    words.filter(|(word, said)| !holds(word, said)).map(|(word, _)| word.clone()).collect()
}

/// The two patterns there are.
fn fits(text: &str, pattern: &str) -> bool {
    let digits = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    match pattern {
        "^[a-z0-9_.-]{1,64}$" => {
            (1..=64).contains(&text.len())
                && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'))
        }
        pattern => {
            assert_eq!(
                pattern,
                r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
            );
            digits(text) == "0000-00-00T00:00:00.000000Z"
        }
    }
}

#[track_caller]
fn check(value: &Value, expected: &[&str]) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert_eq!(broken(&schema, &schema, value), expected, "{value:#}");
}

/// HLT-4: every answer, of every path, format and state, with reasons and without, is as the
/// published schema has it.
#[tokio::test(start_paused = true)]
async fn every_answer_fits_the_schema() {
    let health = health();
    let _latch = health.latch("agents").unwrap();
    let _beat = health.heartbeat("loop", seconds(5)).unwrap();
    let broker = health.component("broker").unwrap();
    let run = async || Report::degraded("slow").with_data("pool", json!({"size": [8, null]}));
    health.check("database", run).unwrap();
    let diagnostic = CheckOptions::new().diagnostic();
    health.check_with("mail", diagnostic, async || Report::unhealthy("gone")).unwrap();
    health.group("ordering", &["database", "mail"]).unwrap();
    health.group("nothing", &[]).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for round in 0..4 {
        for path in [
            "/health",
            "/healthz",
            "/health/live",
            "/livez",
            "/health/ready",
            "/readyz",
            "/ready",
            "/health/startup",
            "/startupz",
            "/health/ordering",
            "/health/nothing",
            "/health/database",
            "/readyz/broker",
            "/livez/loop",
            "/health/ordering/mail",
            "/health?exclude=mail,nobody",
            "/startupz?verbose&exclude=agents",
        ] {
            for accept in ["*/*", "application/json", "application/health+json"] {
                for details in [false, true] {
                    let answer = ask(&health, Method::GET, path, accept, details).unwrap();
                    let value = answer.json();
                    check(&value, &[]);
                    let status = value["status"].as_str().unwrap();
                    assert_eq!(answer.status == 503, ["unhealthy", "fail"].contains(&status));
                    seen.insert(status.to_owned());
                }
            }
        }
        match round {
            0 => run_for(&health, seconds(1)).await,
            1 => broker.healthy(),
            _ => run_for(&health, seconds(60)).await,
        }
    }
    let seen: Vec<_> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, ["degraded", "fail", "healthy", "pass", "unhealthy", "warn"]);
}

/// The schema is no sieve: what is not an answer does not fit.
#[test]
fn what_is_no_answer_does_not_fit() {
    let answer = json!({
        "status": "healthy", "timestamp": "2024-01-15T10:30:00.000000Z", "uptime_seconds": 1.5,
        "version": "1.2.3", "checks": {"database": {"status": "unknown"}},
    });
    check(&answer, &[]);
    for (pointer, value) in [
        ("/status", json!("unknown")),
        ("/timestamp", json!("2024-01-15 10:30:00")),
        ("/uptime_seconds", json!(-1)),
        ("/uptime_seconds", json!("1.5")),
        ("/version", json!(1)),
        ("/checks", json!([])),
        ("/checks", json!({"Database": {"status": "healthy"}})),
        ("/checks/database", json!({})),
        ("/checks/database", json!({"status": "ok"})),
        ("/checks/database", json!({"status": "healthy", "latency_ms": "3"})),
        ("/checks/database", json!({"status": "healthy", "message": "x"})),
    ] {
        let mut other = answer.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        check(&other, &["oneOf"]);
    }
    for key in ["status", "timestamp", "uptime_seconds", "version", "checks"] {
        let mut other = answer.clone();
        other.as_object_mut().unwrap().remove(key);
        check(&other, &["oneOf"]);
    }
}
