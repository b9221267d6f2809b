use core_types::CorrelationId;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::message::MessageType;
use crate::{Failure, Message};

/// What is known of a message.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    /// Which message.
    pub message_id: String,
    /// The id that all log lines about it carry.
    pub correlation_id: CorrelationId,
    /// What was asked for.
    pub message_type: MessageType,
    /// How far it is.
    pub status: Status,
    /// What came of it, as JSON, once it is completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Box<RawValue>>,
    /// Why nothing came of it, once it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted: it is stored, and waits for an agent.
    Queued,
    /// An agent works on it.
    Running,
    /// Done; there is a result.
    Completed,
    /// Given up; there is an error.
    Failed,
}

impl Status {
    /// Whether it changes no more.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

impl Record {
    pub(super) fn new(message: &Message, status: Status) -> Self {
        Self {
            message_id: message.message_id.clone(),
            correlation_id: message.correlation_id.clone(),
            message_type: message.message_type,
            status,
            result: None,
            error: None,
        }
    }

    pub(super) fn done(message: &Message, result: Result<Box<RawValue>, Failure>) -> Self {
        let queued = Self::new(message, Status::Queued);
        match result {
            Ok(result) => Self { status: Status::Completed, result: Some(result), ..queued },
            Err(error) => Self { status: Status::Failed, error: Some(error), ..queued },
        }
    }

    /// Bytes that it takes in memory, near enough.
    pub(super) fn size(&self) -> usize {
        let result = self.result.as_ref().map_or(0, |result| result.get().len());
        let error = self.error.as_ref().map_or(0, |error| error.message.len());
        size_of::<Self>() + self.message_id.len() + result + error
    }
}
