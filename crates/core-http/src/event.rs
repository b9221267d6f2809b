use std::net::IpAddr;
use std::time::Duration;

use http::{StatusCode, Version};

use crate::Failure;

/// What the stack tells its observer.
///
/// For each request: one `Started`, at most one `Failed`, one `Finished`; for those that took
/// [the short way](crate::Stack::with_shortcut), the last alone, outside of every scope. For all others
/// the observer is called inside the request's [`Scope`](core_types::Scope), so what it logs carries the
/// request's ids. An event borrows everything and costs no allocation. The observer runs on the request's
/// own thread: it must not block.
///
/// `method` is one of the nine of RFC 9110 and RFC 5789, or `other`: it is bounded, and so is
/// `route`. A `path` comes from strangers; it stands without its query, which may carry secrets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request's head has arrived.
    #[non_exhaustive]
    Started {
        /// The method.
        method: &'static str,
        /// The path, without its query.
        path: &'a str,
        /// The version of HTTP.
        version: Version,
        /// The client, looked for behind the trusted proxies.
        client: Option<IpAddr>,
    },
    /// A request failed in a way that somebody may have to look into: its status is above 499, or
    /// its [`Failure`] has a cause. Load that was shed is not among them: there is no cause to
    /// tell, and many to tell it of.
    #[non_exhaustive]
    Failed {
        /// The method.
        method: &'static str,
        /// The path, without its query.
        path: &'a str,
        /// The template by which the request was routed, or `unmatched`.
        route: &'a str,
        /// What the client is told, and by [`Failure::causes`] what it is not.
        failure: &'a Failure,
    },
    /// A response's body has ended, or was dropped, or there never was a response.
    #[non_exhaustive]
    Finished {
        /// The method.
        method: &'static str,
        /// The path, without its query.
        path: &'a str,
        /// The template by which the request was routed, or `unmatched`.
        route: &'a str,
        /// The status that was sent; none if the client left before there was one.
        status: Option<StatusCode>,
        /// From the request's head to the end of the response's body.
        duration: Duration,
        /// The bytes of the request's body that the handler has read.
        request_bytes: u64,
        /// The bytes of the response's body that the server has taken.
        response_bytes: u64,
        /// How it ended.
        outcome: Outcome,
        /// What went wrong, if the status is above 399 or the body broke.
        failure: Option<&'a Failure>,
        /// The client, looked for behind the trusted proxies.
        client: Option<IpAddr>,
    },
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The whole answer was handed to the server, whatever its status.
    Completed,
    /// The connection went away before the answer was whole.
    ClientGone,
    /// The handler took too long, and the client was told so.
    TimedOut,
    /// Too many requests were in flight, and the client was told so.
    Shed,
    /// The handler panicked, or the body of its answer did.
    Panicked,
    /// The body of the answer failed, and the connection was cut.
    BodyFailed,
}

impl Outcome {
    /// The outcome as it stands in logs and labels, such as `client_gone`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ClientGone => "client_gone",
            Self::TimedOut => "timed_out",
            Self::Shed => "shed",
            Self::Panicked => "panicked",
            Self::BodyFailed => "body_failed",
        }
    }
}
