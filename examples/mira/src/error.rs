use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::webhook::Provider;

/// Where an error comes from below.
type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why a message was not taken, or not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is not what the message type asks for. Every mistake is here.
    #[error("the request has {} mistake{}", mistakes.len(), if mistakes.len() == 1 { "" } else { "s" })]
    Invalid {
        /// What is wrong, each with its place.
        mistakes: Vec<Mistake>,
    },
    /// No agent handles messages of that type.
    #[error("unknown message type `{given}`")]
    UnknownType {
        /// The type as it was given, cut to 100 characters.
        given: String,
        /// The types that there are.
        known: Vec<&'static str>,
        /// The nearest of them, if one is near.
        nearest: Option<&'static str>,
    },
    /// The message is longer than the broker takes.
    #[error("the message has {size} bytes, {limit} are allowed")]
    TooLarge {
        /// Bytes of the message.
        size: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// There is no such thing, or it was kept no longer.
    #[error("no {what} `{id}` is known")]
    NotFound {
        /// What was asked for: `message` or `plan`.
        what: &'static str,
        /// What it was called.
        id: String,
    },
    /// A webhook that is not set up.
    #[error(
        "the webhook `{}` is not configured: it needs `{key}`, and is not to be disabled",
        provider.as_str()
    )]
    NotConfigured {
        /// Whose events it would take.
        provider: Provider,
        /// The key of the settings that is needed.
        key: &'static str,
    },
    /// A webhook's event has no signature.
    #[error("the signature is missing: header `{}`", _0.signature_header())]
    Unsigned(Provider),
    /// A webhook's event has a signature that was made with another secret, or for another body.
    #[error("the signature does not fit the body: header `{}`", _0.signature_header())]
    Unauthorized(Provider),
    /// The message cannot be taken now, and may be tried again.
    #[error("{reason}")]
    Unavailable {
        /// Why, in words for the caller.
        reason: &'static str,
        /// The cause, for the log.
        source: Option<Source>,
    },
    /// A fault of Mira's own.
    #[error("{what}")]
    Internal {
        /// What failed, in words for the caller.
        what: &'static str,
        /// The cause, for the log.
        source: Option<Source>,
    },
    /// The message was taken and worked on, in vain.
    #[error("{}", _0.message)]
    Failed(Failure),
}

impl Error {
    pub(crate) fn unavailable(reason: &'static str, source: impl Into<Source>) -> Self {
        Self::Unavailable { reason, source: Some(source.into()) }
    }

    pub(crate) fn internal(what: &'static str, source: impl Into<Source>) -> Self {
        Self::Internal { what, source: Some(source.into()) }
    }

    pub(crate) fn not_found(what: &'static str, id: &str) -> Self {
        Self::NotFound { what, id: id.chars().take(100).collect() }
    }

    /// The class of the error, by which the HTTP layer chooses its status.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Invalid { .. } => Kind::Invalid,
            Self::UnknownType { .. } => Kind::UnknownType,
            Self::TooLarge { .. } => Kind::TooLarge,
            Self::NotFound { .. } | Self::NotConfigured { .. } => Kind::NotFound,
            Self::Unsigned(_) | Self::Unauthorized(_) => Kind::Unauthorized,
            Self::Unavailable { .. } => Kind::Unavailable,
            Self::Internal { .. } => Kind::Internal,
            Self::Failed(failure) => failure.kind,
        }
    }

    /// What a caller may go by: a stable word.
    pub fn code(&self) -> &'static str {
        self.kind().code()
    }

    /// What else there is to know, as data for the error body. Never a cause from below.
    pub fn details(&self) -> Value {
        match self {
            Self::Invalid { mistakes } => json!({ "mistakes": mistakes }),
            Self::UnknownType { given, known, nearest } => {
                json!({ "given": given, "known": known, "nearest": nearest })
            }
            Self::TooLarge { size, limit } => json!({ "size": size, "limit": limit }),
            Self::NotFound { what, id } => json!({ "what": what, "id": id }),
            Self::NotConfigured { provider, key } => {
                json!({ "what": "webhook", "id": provider.as_str(), "key": key })
            }
            Self::Unsigned(provider) | Self::Unauthorized(provider) => {
                json!({ "header": provider.signature_header() })
            }
            Self::Unavailable { .. } | Self::Internal { .. } => json!({}),
            Self::Failed(failure) => failure.details.clone(),
        }
    }
}

/// What class of error it is. Written as its [`code`](Self::code).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[non_exhaustive]
pub enum Kind {
    /// The caller's mistake, to be corrected there.
    #[serde(rename = "INVALID_MESSAGE")]
    Invalid,
    /// No such message type.
    #[serde(rename = "UNKNOWN_MESSAGE_TYPE")]
    UnknownType,
    /// Too long.
    #[serde(rename = "MESSAGE_TOO_LARGE")]
    TooLarge,
    /// No such thing.
    #[serde(rename = "NOT_FOUND")]
    NotFound,
    /// Not signed as agreed.
    #[serde(rename = "INVALID_SIGNATURE")]
    Unauthorized,
    /// Not now.
    #[serde(rename = "UNAVAILABLE")]
    Unavailable,
    /// Mira's own fault.
    #[serde(rename = "INTERNAL_ERROR")]
    Internal,
}

impl Kind {
    /// The stable word for it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID_MESSAGE",
            Self::UnknownType => "UNKNOWN_MESSAGE_TYPE",
            Self::TooLarge => "MESSAGE_TOO_LARGE",
            Self::NotFound => "NOT_FOUND",
            Self::Unauthorized => "INVALID_SIGNATURE",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL_ERROR",
        }
    }
}

/// One mistake in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where it is: `data.goals[2]`. Empty for the whole body.
    pub field: String,
    /// What is wrong there, and what was expected.
    pub problem: String,
}

/// Why a message that was taken came to nothing, as it is kept with the message.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// The class; `code` where it is written.
    #[serde(rename = "code")]
    pub kind: Kind,
    /// What happened, in words.
    pub message: String,
    /// What else there is to know.
    pub details: Value,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self { kind: error.kind(), message: error.to_string(), details: error.details() }
    }
}
