use mira::brief::Member;
use mira::message::{Data, MessageType, Request};
use mira::{Error, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{brief, request, today};

/// The mistakes of a body, as `field: problem`.
#[track_caller]
fn mistakes(body: &[u8]) -> Vec<String> {
    match Request::read(body, today()) {
        Err(Error::Invalid { mistakes }) => mistakes
            .into_iter()
            .map(|mistake| format!("{}: {}", mistake.field, mistake.problem))
            .collect(),
        other => panic!("expected mistakes, not {other:?}"),
    }
}

#[test]
fn a_whole_brief_is_read() {
    let brief = brief(&json!({
        "name": "  Shop ",
        "description": "One\nTwo",
        "goals": ["Sell"],
        "duration_weeks": 260,
        "team": ["Ada", { "name": "Grace", "role": "Lead", "availability": 0.25 }],
        "start_date": "2027-03-01",
    }));
    assert_eq!((brief.name.as_str(), brief.description.as_str()), ("Shop", "One\nTwo"));
    assert_eq!((brief.duration_weeks, brief.start_date.to_string()), (260, "2027-03-01".into()));
    let member = |name: &str, role: Option<&str>, availability| Member {
        name: name.into(),
        role: role.map(Into::into),
        availability,
    };
    assert_eq!(brief.team, [member("Ada", None, 1.0), member("Grace", Some("Lead"), 0.25)]);
}

#[test]
fn nothing_is_the_same_as_null() {
    let all = json!({ "name": "x", "description": null, "goals": null, "duration_weeks": null,
        "team": null, "start_date": null });
    assert_eq!(brief(&all), brief(&json!({ "name": "x" })));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let data = json!({
        "nme": "x",
        "description": 7,
        "goals": ["ok", "", "a\u{0}b", 5],
        "duration_weeks": 261,
        "team": ["Ada", { "name": "Ada" }, { "role": "x", "availability": 1.5, "mail": "y" }, true],
        "start_date": "2026-02-30",
        "something_else": 1,
    });
    let body = json!({ "message_type": "generate_plan", "data": data, "priority": 1 });
    assert_eq!(
        mistakes(body.to_string().as_bytes()),
        [
            "priority: unknown field, known are message_type, data",
            "data.nme: unknown field, perhaps `name` is meant",
            "data.something_else: unknown field, known are name, description, goals, duration_weeks, team, start_date",
            "data.name: is missing",
            "data.description: expected a text, not a number",
            "data.goals[1]: must not be empty",
            "data.goals[2]: has control characters",
            "data.goals[3]: expected a text, not a number",
            "data.duration_weeks: expected a whole number from 1 to 260",
            "data.team[1]: is in the team already; a task's owner is known by the name alone",
            "data.team[2].mail: unknown field, known are name, role, availability",
            "data.team[2].name: is missing",
            "data.team[2].availability: expected a number from 0 to 1",
            "data.team[3]: expected an object, not true or false",
            "data.start_date: expected a day such as `2026-01-05`, from 2000 to 2200",
        ]
    );
}

#[test]
fn bounds_are_kept() {
    let cases = [
        (json!({ "name": "x".repeat(201) }), "data.name: has 201 characters, 200 are allowed"),
        (json!({ "name": "  " }), "data.name: must not be empty"),
        (json!({ "name": "a\nb" }), "data.name: has control characters"),
        (
            json!({ "name": "x", "goals": vec!["g"; 51] }),
            "data.goals: has 51 entries, 50 are allowed",
        ),
        (
            json!({ "name": "x", "team": vec![0; 101] }),
            "data.team: has 101 entries, 100 are allowed",
        ),
        (json!({ "name": "x", "goals": "g" }), "data.goals: expected a list, not a text"),
        (
            json!({ "name": "x", "goals": ["g".repeat(501)] }),
            "data.goals[0]: has 501 characters, 500 are allowed",
        ),
        (
            json!({ "name": "x", "description": "d".repeat(10_001) }),
            "data.description: has 10001 characters, 10000 are allowed",
        ),
        (
            json!({ "name": "x", "duration_weeks": 0 }),
            "data.duration_weeks: expected a whole number from 1 to 260",
        ),
        (
            json!({ "name": "x", "duration_weeks": 12.5 }),
            "data.duration_weeks: expected a whole number from 1 to 260",
        ),
        (
            json!({ "name": "x", "duration_weeks": 1e300 }),
            "data.duration_weeks: expected a whole number from 1 to 260",
        ),
        (
            json!({ "name": "x", "start_date": "9999-12-31" }),
            "data.start_date: expected a day such as `2026-01-05`, from 2000 to 2200",
        ),
        (
            json!({ "plan_id": "p", "name": "x" }),
            "data.plan_id: unknown field, known are name, description, goals, duration_weeks, team, start_date",
        ),
        (json!([]), "data: expected an object, not a list"),
    ];
    for (data, expected) in cases {
        assert_eq!(mistakes(&request("generate_plan", &data)), [expected]);
    }
}

#[test]
fn a_plan_can_be_named_instead_of_a_brief() {
    for message_type in ["assess_risks", "generate_report", "orchestrate"] {
        let read = Request::read(&request(message_type, &json!({ "plan_id": "plan-1" })), today());
        assert_eq!(read.expect("right").data, Data::PlanId("plan-1".into()));
        assert_eq!(
            mistakes(&request(message_type, &json!({ "plan_id": "plan-1", "name": "x" }))),
            ["data.plan_id: stands alone: the plan keeps the brief it was made of"]
        );
    }
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    assert_eq!(mistakes(b"{}"), ["message_type: is missing", "data: is missing"]);
    assert_eq!(mistakes(b"[]"), [": expected an object, not a list"]);
    assert!(mistakes(b"")[0].starts_with(": is not JSON: EOF"));
    assert!(mistakes(b"{\"message_type\": \"\xff\"}")[0].starts_with(": is not JSON:"));
    let deep = b"[".repeat(100_000);
    assert!(mistakes(&deep)[0].contains("recursion limit"));
    let typed = json!({ "message_type": 7, "data": { "name": "x" } }).to_string();
    assert_eq!(mistakes(typed.as_bytes()), ["message_type: expected a text"]);
}

#[test]
fn a_name_that_stands_twice_is_a_mistake() {
    let body =
        br#"{"data": {"name": "a", "name": "b", "team": ["Ada", {"name": "Bo", "name": "Bo"}]},
        "message_type": "generate_plan", "message_type": "orchestrate"}"#;
    assert_eq!(
        mistakes(body),
        [
            "data.name: stands there more than once",
            "data.team[1].name: stands there more than once",
            "message_type: stands there more than once",
        ]
    );
    let after = br#"{"message_type": "generate_plan", "data": {"name": "a"}} x"#;
    assert!(mistakes(after)[0].starts_with(": is not JSON: trailing characters"));
}

#[test]
fn a_body_with_very_many_mistakes_gives_a_short_answer() {
    let fields: serde_json::Map<String, Value> =
        (0..10_000).map(|i| (format!("{i}{}", "x".repeat(100)), Value::Null)).collect();
    let told = mistakes(&request("generate_plan", &Value::Object(fields)));
    assert_eq!(told.len(), 50);
    assert!(told.iter().all(|mistake| mistake.len() < 200));
}

#[test]
fn an_unknown_type_names_the_nearest() {
    let error = Request::read(&request("genrate_plan", &json!({})), today()).expect_err("unknown");
    assert_eq!((error.kind(), error.code()), (Kind::UnknownType, "UNKNOWN_MESSAGE_TYPE"));
    assert_eq!(
        error.details(),
        json!({
            "given": "genrate_plan",
            "known": ["generate_plan", "assess_risks", "generate_report", "orchestrate"],
            "nearest": "generate_plan",
        })
    );
    // What webhooks become is nothing that a caller may send.
    for name in [MessageType::GithubEvent.as_str(), &"x".repeat(5_000)] {
        let error = Request::read(&request(name, &json!({})), today()).expect_err("unknown");
        assert_eq!(error.details()["nearest"], Value::Null);
        assert!(error.to_string().len() < 100);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Request::read(&bytes, today());
    }

    #[test]
    fn no_json_makes_it_panic(
        name in any_json(), goals in any_json(), weeks in any_json(), team in any_json(),
        start in any_json(), plan in any_json(), message_type in prop_oneof![any_json(), Just(json!("assess_risks"))],
    ) {
        let data = json!({ "name": name, "goals": goals, "duration_weeks": weeks, "team": team,
            "start_date": start, "plan_id": plan });
        let body = json!({ "message_type": message_type, "data": data });
        if let Ok(Request { data: Data::Brief(brief), .. }) =
            Request::read(body.to_string().as_bytes(), today())
        {
            let _ = mira::plan::Project::plan(brief, "plan-1".into());
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("2026-01-05")),
    ];
    leaf.prop_recursive(2, 12, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map("name|role|availability|[a-z]{1,9}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
