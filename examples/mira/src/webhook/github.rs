use serde_json::Value;

use super::{Event, Provider, project, short, text};
use crate::Date;
use crate::read::{Mistakes, quoted};

/// Reads an event of GitHub. An issue that was opened asks for a project; its assignees are the
/// team, and the open items of its checklist are the goals.
pub(super) fn read(
    mistakes: &mut Mistakes,
    name: Option<&str>,
    body: &Value,
    today: Date,
) -> Option<Event> {
    let Some(name) = name.map(quoted).filter(|name| !name.is_empty()) else {
        mistakes.add("X-GitHub-Event", "is missing");
        return None;
    };
    let action = short(body, "/action");
    let number = body.pointer("/issue/number").and_then(Value::as_u64);
    let subject = short(body, "/repository/full_name").map(|repository| match number {
        Some(number) => format!("{repository}#{number}"),
        None => repository,
    });
    let brief = if name == "issues" && action.as_deref() == Some("opened") {
        let people = body.pointer("/issue/assignees").and_then(Value::as_array);
        let team = people.into_iter().flatten().filter_map(|person| text(person, "/login"));
        let description = text(body, "/issue/body").unwrap_or_default();
        text(body, "/issue/title")
            .and_then(|title| project(title, description, team.collect(), today))
    } else {
        None
    };
    Some(Event { provider: Provider::Github, name, action, subject, brief })
}
