//! The server: asked one thing at a time by each, through the gate.

use reqwest::header::HeaderValue;

use super::api::{Call, Reply};
use super::gate::Gate;
use super::transport::Transport;
use crate::{BackendError, Error, VaultConfig};

pub(super) struct Server {
    transport: Transport,
    gate: Gate,
}

impl Server {
    pub(super) fn new(config: &VaultConfig) -> Result<Self, Error> {
        Ok(Self { transport: Transport::new(config)?, gate: Gate::new() })
    }

    pub(super) async fn ask(
        &self,
        call: Call,
        token: Option<&HeaderValue>,
    ) -> Result<Option<Reply>, BackendError> {
        self.gate.pass(self.transport.send(call, token)).await
    }
}
