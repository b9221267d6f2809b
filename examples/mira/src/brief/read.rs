use serde_json::{Map, Value};

use super::{
    Brief, DEFAULT_WEEKS, MAX_DESCRIPTION, MAX_GOAL, MAX_GOALS, MAX_NAME, MAX_ROLE, MAX_TEAM,
    MAX_WEEKS, Member,
};
use crate::Date;
use crate::read::{Mistakes, field};

/// The fields of a brief.
pub(crate) const FIELDS: [&str; 6] =
    ["name", "description", "goals", "duration_weeks", "team", "start_date"];

/// Reads a brief from the table at `place`. It starts `today` unless it says when.
pub(crate) fn read(
    mistakes: &mut Mistakes,
    place: &str,
    table: &Map<String, Value>,
    today: Date,
) -> Option<Brief> {
    let at = |name: &str| format!("{place}.{name}");
    let name = mistakes
        .required(place, table, "name")
        .and_then(|value| mistakes.line(&at("name"), value, MAX_NAME));
    let description = field(table, "description")
        .and_then(|value| mistakes.prose(&at("description"), value, MAX_DESCRIPTION));
    let goals = field(table, "goals").map(|value| {
        mistakes.list(&at("goals"), value, MAX_GOALS, |mistakes, at, goal| {
            mistakes.line(at, goal, MAX_GOAL)
        })
    });
    let weeks = field(table, "duration_weeks")
        .and_then(|value| weeks(mistakes, &at("duration_weeks"), value));
    let team = field(table, "team").map(|value| team(mistakes, &at("team"), value));
    let start_date =
        field(table, "start_date").and_then(|value| day(mistakes, &at("start_date"), value));
    Some(Brief {
        name: name?,
        description: description.unwrap_or_default(),
        goals: goals.unwrap_or_default(),
        duration_weeks: weeks.unwrap_or(DEFAULT_WEEKS),
        team: team.unwrap_or_default(),
        start_date: start_date.unwrap_or(today),
    })
}

fn weeks(mistakes: &mut Mistakes, at: &str, value: &Value) -> Option<u16> {
    let weeks = value.as_u64().and_then(|weeks| u16::try_from(weeks).ok());
    let weeks = weeks.filter(|weeks| (1..=MAX_WEEKS).contains(weeks));
    if weeks.is_none() {
        mistakes.add(at, format!("expected a whole number from 1 to {MAX_WEEKS}"));
    }
    weeks
}

fn day(mistakes: &mut Mistakes, at: &str, value: &Value) -> Option<Date> {
    let day = value.as_str().and_then(|text| text.parse().ok());
    let day = day.filter(|day: &Date| (2000..=2200).contains(&day.year()));
    if day.is_none() {
        mistakes.add(at, "expected a day such as `2026-01-05`, from 2000 to 2200");
    }
    day
}

fn team(mistakes: &mut Mistakes, at: &str, value: &Value) -> Vec<Member> {
    let mut names: Vec<String> = Vec::new();
    mistakes.list(at, value, MAX_TEAM, |mistakes, at, entry| {
        let member = member(mistakes, at, entry)?;
        if names.contains(&member.name) {
            mistakes.add(at, "is in the team already; a task's owner is known by the name alone");
        }
        names.push(member.name.clone());
        Some(member)
    })
}

/// A member: a name alone, or an object.
fn member(mistakes: &mut Mistakes, at: &str, value: &Value) -> Option<Member> {
    if value.is_string() {
        return mistakes.line(at, value, MAX_NAME).map(Member::full_time);
    }
    let table = mistakes.table(at, value, &["name", "role", "availability"])?;
    let name = mistakes
        .required(at, table, "name")
        .and_then(|value| mistakes.line(&format!("{at}.name"), value, MAX_NAME));
    let role = field(table, "role")
        .and_then(|value| mistakes.line(&format!("{at}.role"), value, MAX_ROLE));
    let availability = field(table, "availability").map_or(Some(1.0), |value| {
        let availability = value.as_f64().filter(|part| (0.0..=1.0).contains(part));
        if availability.is_none() {
            mistakes.add(&format!("{at}.availability"), "expected a number from 0 to 1");
        }
        availability
    });
    Some(Member { name: name?, role, availability: availability? })
}
