#![doc = include_str!("../README.md")]

mod admission;
mod answer;
mod cidr;
mod client;
mod config;
mod context;
mod error;
mod event;
mod failure;
mod finish;
mod future;
mod live;
#[cfg(feature = "axum")]
mod matched_route;
mod negotiation;
mod panics;
mod propagation;
mod request_body;
mod response_body;
mod route;
mod shortcut;
mod stack;
mod wrapped;

#[cfg(feature = "axum")]
pub use self::matched_route::{MatchedRoute, WithMatchedRoute};
pub use self::{
    cidr::Cidr,
    client::Peer,
    config::{Config, Cors, SecurityHeaders},
    context::Context,
    error::Error,
    event::{Event, Outcome},
    failure::{Causes, Failure},
    future::ResponseFuture,
    live::Prepared,
    propagation::outgoing_headers,
    request_body::RequestBody,
    response_body::ResponseBody,
    route::Route,
    shortcut::Shortcut,
    stack::Stack,
    wrapped::Wrapped,
};

/// Any error, in the form in which HTTP libraries pass errors on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
