//! What the tests share: briefs by chance, and a NATS server.

pub(crate) mod nats;

use mira::brief::{Brief, Member};
use mira::message::{Data, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

/// 2026-01-05 12:00 UTC, a Monday.
pub(crate) fn noon() -> std::time::SystemTime {
    std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_767_614_400)
}

pub(crate) fn today() -> mira::Date {
    mira::Date::of(noon())
}

/// A request that is right.
pub(crate) fn request(message_type: &str, data: &Value) -> Vec<u8> {
    json!({ "message_type": message_type, "data": data }).to_string().into_bytes()
}

/// A brief as it is read from JSON.
pub(crate) fn brief(data: &Value) -> Brief {
    let request = Request::read(&request("generate_plan", data), today()).expect("a right request");
    match request.data {
        Data::Brief(brief) => brief,
        other => panic!("{other:?} is no brief"),
    }
}

/// Any brief that is allowed.
pub(crate) fn any_brief() -> impl Strategy<Value = Brief> {
    let goal = prop_oneof![
        "[A-Za-z0-9 äöüß%]{0,60}[a-z]",
        Just("Launch the shop by 2026-05-01".to_owned()),
        Just("Integrate the payment provider within 3 weeks".to_owned()),
        Just("Better".to_owned()),
        Just("Migrate all 400 customers from the legacy system".to_owned()),
    ];
    let goals = proptest::collection::vec(goal, 0..=50);
    let team = proptest::collection::vec(0u32..=100, 0..=20);
    let weeks = prop_oneof![1u16..=8, 1u16..=260];
    (goals, team, weeks, 0u32..36_500, any::<bool>()).prop_map(
        |(goals, team, duration_weeks, start, is_described)| Brief {
            name: "A project".into(),
            description: if is_described { "For everyone.".into() } else { String::new() },
            goals,
            duration_weeks,
            team: team
                .into_iter()
                .enumerate()
                .map(|(i, percent)| Member {
                    name: format!("Person {i}"),
                    role: None,
                    availability: f64::from(percent) / 100.0,
                })
                .collect(),
            start_date: "2000-01-01".parse::<mira::Date>().expect("a day").plus_days(start),
        },
    )
}
