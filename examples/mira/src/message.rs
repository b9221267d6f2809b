//! What agents are asked to do.

mod origin;

use std::time::SystemTime;

use core_types::{CorrelationId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use self::origin::Origin;
use crate::read::{self, Mistakes, field, nearest, quoted};
use crate::webhook::Event;
use crate::{Brief, Date, Error, agents, brief};

/// Characters of a plan's or a message's id.
const MAX_ID: usize = 100;

/// A message on its way to the agents.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    /// What it is known by.
    pub message_id: String,
    /// What is to be done.
    pub message_type: MessageType,
    /// The id that all log lines about it carry.
    pub correlation_id: CorrelationId,
    /// What it is to be done with.
    pub data: Data,
    /// When it was taken.
    #[serde(deserialize_with = "timestamp")]
    pub received_at: Timestamp,
    /// Where it came from.
    pub source: Source,
    /// What the request that brought it was known by. Nothing, if an older Mira took it.
    #[serde(default)]
    pub origin: Origin,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MessageType {
    /// Make a plan, assess its risks, and report.
    GeneratePlan,
    /// Assess the risks.
    AssessRisks,
    /// Report on a plan.
    GenerateReport,
    /// Everything, by all agents in turn.
    Orchestrate,
    /// Look at an event from GitHub.
    GithubEvent,
    /// Look at an event from Jira.
    JiraEvent,
}

impl MessageType {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::GeneratePlan,
        Self::AssessRisks,
        Self::GenerateReport,
        Self::Orchestrate,
        Self::GithubEvent,
        Self::JiraEvent,
    ];
    /// What callers of the API may ask for.
    pub const CALLABLE: [Self; 4] =
        [Self::GeneratePlan, Self::AssessRisks, Self::GenerateReport, Self::Orchestrate];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::GeneratePlan => "generate_plan",
            Self::AssessRisks => "assess_risks",
            Self::GenerateReport => "generate_report",
            Self::Orchestrate => "orchestrate",
            Self::GithubEvent => "github_event",
            Self::JiraEvent => "jira_event",
        }
    }

    /// The agent that such a message is for.
    pub fn agent(self) -> &'static str {
        match self {
            Self::GeneratePlan => agents::PROJECT_PLAN,
            Self::AssessRisks => agents::RISK_ASSESSMENT,
            Self::GenerateReport => agents::STATUS_REPORT,
            Self::Orchestrate | Self::GithubEvent | Self::JiraEvent => agents::ORCHESTRATOR,
        }
    }
}

/// What a message is about.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// A project as it is asked for.
    Brief(Brief),
    /// A plan that was made before.
    PlanId(String),
    /// What happened elsewhere.
    Event(Event),
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `POST /api/messages`.
    Api,
    /// `POST /webhook/github`.
    Github,
    /// `POST /webhook/jira`.
    Jira,
}

impl Source {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Github => "github",
            Self::Jira => "jira",
        }
    }
}

/// What a caller asks for, before it has an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What is to be done.
    pub message_type: MessageType,
    /// What it is to be done with.
    pub data: Data,
}

impl Request {
    /// Reads a request. A project starts `today` unless it says when.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every mistake; [`Error::UnknownType`].
    pub fn read(body: &[u8], today: Date) -> Result<Self, Error> {
        let mut mistakes = Mistakes::default();
        let Some(body) = read::json(&mut mistakes, body) else { return mistakes.or(None) };
        let Some(table) = mistakes.table("", &body, &["message_type", "data"]) else {
            return mistakes.or(None);
        };
        let message_type = match mistakes.required("", table, "message_type") {
            Some(Value::String(name)) => Some(message_type(name)?),
            Some(_) => {
                mistakes.add("message_type", "expected a text");
                None
            }
            None => None,
        };
        let data = mistakes
            .required("", table, "data")
            .and_then(|value| data(&mut mistakes, value, message_type, today));
        let request = message_type.zip(data);
        mistakes.or(request.map(|(message_type, data)| Self { message_type, data }))
    }
}

fn message_type(name: &str) -> Result<MessageType, Error> {
    let known = MessageType::CALLABLE.map(MessageType::as_str);
    MessageType::CALLABLE.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
        Error::UnknownType {
            given: quoted(name),
            known: known.into(),
            nearest: nearest(name, &known),
        }
    })
}

/// A brief, or the id of a plan. A new plan needs a brief.
fn data(
    mistakes: &mut Mistakes,
    value: &Value,
    message_type: Option<MessageType>,
    today: Date,
) -> Option<Data> {
    let mut known = Vec::from(brief::FIELDS);
    if message_type != Some(MessageType::GeneratePlan) {
        known.push("plan_id");
    }
    let table = mistakes.table("data", value, &known)?;
    match field(table, "plan_id").filter(|_| known.contains(&"plan_id")) {
        None => brief::read(mistakes, "data", table, today).map(Data::Brief),
        Some(id) => {
            let id = mistakes.line("data.plan_id", id, MAX_ID)?;
            if table.len() > 1 {
                mistakes
                    .add("data.plan_id", "stands alone: the plan keeps the brief it was made of");
            }
            Some(Data::PlanId(id))
        }
    }
}

/// Whether a text can be the id of anything.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_rfc3339(&text).map(Timestamp::from).map_err(serde::de::Error::custom)
}

impl Message {
    /// The day on which it was taken, in UTC.
    pub fn received_on(&self) -> Date {
        Date::of(SystemTime::from(self.received_at))
    }
}
