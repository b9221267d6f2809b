use core_types::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What Mira is connected to: the section `integrations`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Integrations {
    /// GitHub, whose events come to `/webhook/github`.
    pub github: GitHub,
    /// Jira, whose events come to `/webhook/jira`.
    pub jira: Jira,
}

/// The section `integrations.github`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct GitHub {
    /// Whether events from GitHub are taken. Unset, the default: if there is a `webhook_secret`,
    /// since nothing unasked is to be reachable.
    #[schemars(extend("x-short" = ["GITHUB_ENABLED"]))]
    pub enabled: Option<bool>,
    /// The token for GitHub's own interface. No agent calls it yet. Default: none.
    #[serde(skip_serializing)]
    #[schemars(extend("x-env" = ["GITHUB_TOKEN"]))]
    pub token: Option<Secret<String>>,
    /// The secret under which GitHub signs its events. Default: none, and the webhook answers 404,
    /// because an event that nobody signed is anybody's.
    #[serde(skip_serializing)]
    #[schemars(extend("x-short" = ["GITHUB_WEBHOOK_SECRET"]))]
    pub webhook_secret: Option<Secret<String>>,
}

/// The section `integrations.jira`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct Jira {
    /// Whether events from Jira are taken. Unset, the default: if there is a `webhook_secret`,
    /// since nothing unasked is to be reachable.
    #[schemars(extend("x-short" = ["JIRA_ENABLED"]))]
    pub enabled: Option<bool>,
    /// The account for Jira's own interface. No agent calls it yet. Default: empty.
    pub username: String,
    /// The token for Jira's own interface. No agent calls it yet. Default: none.
    #[serde(skip_serializing)]
    #[schemars(extend("x-env" = ["JIRA_API_TOKEN"]))]
    pub api_token: Option<Secret<String>>,
    /// The secret under which Jira signs its events. Default: none, and the webhook answers 404,
    /// because an event that nobody signed is anybody's.
    #[serde(skip_serializing)]
    #[schemars(extend("x-short" = ["JIRA_WEBHOOK_SECRET"]))]
    pub webhook_secret: Option<Secret<String>>,
}

impl GitHub {
    /// Whether somebody has set it up, at least half-way.
    pub fn is_wanted(&self) -> bool {
        self.enabled.unwrap_or(self.token.is_some())
    }

    /// The secret that events are checked with; `None` if no event is to be taken.
    pub fn secret(&self) -> Option<&Secret<String>> {
        usable(self.enabled, self.webhook_secret.as_ref())
    }
}

impl Jira {
    /// Whether somebody has set it up, at least half-way.
    pub fn is_wanted(&self) -> bool {
        self.enabled.unwrap_or(self.api_token.is_some())
    }

    /// The secret that events are checked with; `None` if no event is to be taken.
    pub fn secret(&self) -> Option<&Secret<String>> {
        usable(self.enabled, self.webhook_secret.as_ref())
    }
}

/// An empty secret is none: anybody can sign with it.
fn usable(enabled: Option<bool>, secret: Option<&Secret<String>>) -> Option<&Secret<String>> {
    secret.filter(|secret| enabled != Some(false) && !secret.expose().trim().is_empty())
}
