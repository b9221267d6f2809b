//! Events from elsewhere: checked, and read as messages.

mod github;
mod jira;
mod signature;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub use self::signature::verify;
use crate::brief::{self, Member};
use crate::message::{MessageType, Source};
use crate::read::{Mistakes, cut};
use crate::{Brief, Date, Error};

/// Characters of a delivery's id that are kept as they are.
const MAX_DELIVERY_ID: usize = 100;

/// Who sends events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// GitHub.
    Github,
    /// Jira.
    Jira,
}

impl Provider {
    /// As it is written, also in the webhook's path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Jira => "jira",
        }
    }

    /// The header that carries the signature.
    pub fn signature_header(self) -> &'static str {
        match self {
            Self::Github => "X-Hub-Signature-256",
            Self::Jira => "X-Hub-Signature",
        }
    }

    /// The key of the settings that holds the secret under which events are signed.
    pub fn secret_key(self) -> &'static str {
        match self {
            Self::Github => "integrations.github.webhook_secret",
            Self::Jira => "integrations.jira.webhook_secret",
        }
    }

    /// The header by which a delivery that comes twice is known.
    pub fn delivery_header(self) -> &'static str {
        match self {
            Self::Github => "x-github-delivery",
            Self::Jira => "x-atlassian-webhook-identifier",
        }
    }

    /// The header that names the event, if it is not in the body.
    pub fn event_header(self) -> Option<&'static str> {
        match self {
            Self::Github => Some("x-github-event"),
            Self::Jira => None,
        }
    }

    pub(crate) fn message_type(self) -> MessageType {
        match self {
            Self::Github => MessageType::GithubEvent,
            Self::Jira => MessageType::JiraEvent,
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Self::Github => Source::Github,
            Self::Jira => Source::Jira,
        }
    }
}

/// One delivery, as it came.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'r> {
    /// The value of [`Provider::signature_header`].
    pub signature: Option<&'r str>,
    /// The value of [`Provider::delivery_header`].
    pub id: Option<&'r str>,
    /// The value of [`Provider::event_header`].
    pub event: Option<&'r str>,
    /// The body, byte for byte.
    pub body: &'r [u8],
}

/// What happened elsewhere.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Event {
    /// Who tells.
    pub provider: Provider,
    /// What it is called there: `issues`, `jira:issue_created`.
    pub name: String,
    /// What happened to its subject: `opened`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// What it happened to: `octo/repo#7`, `MIRA-12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The project that it asks for, if it does: a new issue does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brief: Option<Brief>,
}

/// Reads a delivery whose signature was verified. A project that it asks for starts `today`.
///
/// Any event is read: one that Mira does not know asks for no project.
///
/// # Errors
/// [`Error::Invalid`] if the body is no JSON object, or the event has no name.
pub fn read(provider: Provider, delivery: &Delivery<'_>, today: Date) -> Result<Event, Error> {
    let mut mistakes = Mistakes::default();
    let body: Value = match serde_json::from_slice(delivery.body) {
        Ok(body) => body,
        Err(error) => {
            mistakes.add("", format!("is not JSON: {error}"));
            return mistakes.or(None);
        }
    };
    if !body.is_object() {
        mistakes.add("", "expected an object");
        return mistakes.or(None);
    }
    let event = match provider {
        Provider::Github => github::read(&mut mistakes, delivery.event, &body, today),
        Provider::Jira => jira::read(&mut mistakes, &body, today),
    };
    mistakes.or(event)
}

/// What a delivery is known by, so that it is done once.
///
/// The sender's own id, or else the hash of the body. An id of unusual characters is hashed too.
pub fn delivery_key(provider: Provider, delivery: &Delivery<'_>) -> String {
    let is_plain = |id: &&str| {
        (1..=MAX_DELIVERY_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let provider = provider.as_str();
    match delivery.id {
        Some(id) if is_plain(&id) => format!("{provider}.id.{id}"),
        Some(id) => format!("{provider}.hashed-id.{}", hash(id.as_bytes())),
        None => format!("{provider}.body.{}", hash(delivery.body)),
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A text of the body: present, and not blank.
fn text<'v>(body: &'v Value, pointer: &str) -> Option<&'v str> {
    body.pointer(pointer)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// A short text of the body, for the record.
fn short(body: &Value, pointer: &str) -> Option<String> {
    text(body, pointer).map(|text| cut(text, brief::MAX_NAME)).filter(|text| !text.is_empty())
}

/// The parts of an issue that make a brief. Whoever wrote it did not write it for us: what is too
/// long is cut, and what cannot be used is left out.
fn project(title: &str, description: &str, team: Vec<&str>, today: Date) -> Option<Brief> {
    let mut project = Brief::named(cut(title, brief::MAX_NAME), today);
    let is_kept = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    project.description =
        description.chars().filter(is_kept).take(brief::MAX_DESCRIPTION).collect();
    project.goals = project.description.lines().filter_map(goal).take(brief::MAX_GOALS).collect();
    let mut names: Vec<String> = team
        .into_iter()
        .map(|name| cut(name, brief::MAX_NAME))
        .filter(|name| !name.is_empty())
        .take(brief::MAX_TEAM)
        .collect();
    names.sort_unstable();
    names.dedup();
    project.team = names.into_iter().map(Member::full_time).collect();
    (!project.name.is_empty()).then_some(project)
}

/// An open item of a checklist, `- [ ] like this`, is a goal.
fn goal(line: &str) -> Option<String> {
    let line = line.trim();
    let item = line.strip_prefix("- [ ]").or_else(|| line.strip_prefix("* [ ]"))?;
    Some(cut(item.trim(), brief::MAX_GOAL)).filter(|goal| !goal.is_empty())
}
