use serde_json::Value;

use super::{Event, Provider, project, short, text};
use crate::Date;
use crate::read::Mistakes;

/// Reads an event of Jira. An issue that was created asks for a project; its assignee is the team,
/// and the open items of its checklist are the goals.
pub(super) fn read(mistakes: &mut Mistakes, body: &Value, today: Date) -> Option<Event> {
    let Some(name) = short(body, "/webhookEvent") else {
        mistakes.add("webhookEvent", "is missing");
        return None;
    };
    let brief = if name == "jira:issue_created" {
        let team = text(body, "/issue/fields/assignee/displayName").into_iter().collect();
        let description = text(body, "/issue/fields/description").unwrap_or_default();
        text(body, "/issue/fields/summary")
            .and_then(|title| project(title, description, team, today))
    } else {
        None
    };
    Some(Event {
        provider: Provider::Jira,
        name,
        action: short(body, "/issue_event_type_name"),
        subject: short(body, "/issue/key"),
        brief,
    })
}
