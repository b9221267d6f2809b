use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::Cidr;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Who is at the other end of the connection: the client itself, or the nearest proxy.
///
/// The server tells it of a connection, by [`Wrapped::with_peer`](crate::Wrapped::with_peer), or of a
/// request, in its extensions, where handlers find it in either case. Without it the client's address
/// is not known, and no `X-Forwarded-*` header counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address of the connection's other end.
    pub address: SocketAddr,
    /// Whether the connection is by TLS.
    pub https: bool,
}

/// The client behind the proxies.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) address: Option<IpAddr>,
    pub(crate) https: bool,
    /// The host that the client asked for, if a trusted proxy tells another than `Host`.
    pub(crate) host: Option<Box<str>>,
}

impl Client {
    /// Believes `X-Forwarded-*` only as far as trusted proxies wrote it.
    ///
    /// Each proxy appends the address it was called from to `X-Forwarded-For`, so the header is
    /// read from its right end: what stands left of the first address that is not trusted was
    /// written by strangers. In `X-Forwarded-Proto` and `-Host` the last value is that of the
    /// proxy which called us.
    pub(crate) fn resolve(peer: Option<&Peer>, headers: &HeaderMap, trusted: &[Cidr]) -> Self {
        let Some(peer) = peer else { return Self::default() };
        let direct = peer.address.ip().to_canonical();
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(direct) {
            return Self { address: Some(direct), https: peer.https, host: None };
        }
        let mut address = direct;
        for hop in from_the_right(headers, &X_FORWARDED_FOR) {
            // A hop that is no address tells nothing, and nothing left of it can be believed.
            let Some(hop) = hop.and_then(parse_hop) else { break };
            address = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        let last = |name| from_the_right(headers, name).next().flatten();
        let https = last(&X_FORWARDED_PROTO)
            .map_or(peer.https, |scheme| scheme.eq_ignore_ascii_case("https"));
        let host = last(&X_FORWARDED_HOST).and_then(host_name).map(Into::into);
        Self { address: Some(address), https, host }
    }
}

/// The members of a list header, the last one first; `None` for one that is no text.
///
/// The line is divided before it is read: a client that writes bytes which are no text must not
/// spoil what a proxy appended to them.
fn from_the_right<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl Iterator<Item = Option<&'a str>> {
    let lines = headers.get_all(name).iter().rev();
    let members = lines.flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
    members.map(|member| str::from_utf8(member.trim_ascii()).ok())
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().ok().or_else(bracketed);
    address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())).map(|a| a.to_canonical())
}

/// The host of `Host`, `:authority` or `X-Forwarded-Host`, without its port; `None` unless it is a
/// name or an address and nothing else, since it goes into a `Location`.
pub(crate) fn host_name(text: &str) -> Option<&str> {
    let end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, port) = text.split_at(end);
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let host_is_well_formed = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(is_name),
    };
    let port_is_well_formed = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    (host_is_well_formed && port_is_well_formed).then_some(host)
}

#[cfg(test)]
mod tests;
