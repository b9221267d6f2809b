use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls_native_certs::load_native_certs;
use ureq::Agent;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::Config;

/// Why a request was not taken.
pub(super) enum Refusal {
    /// It may be taken later; perhaps after this long.
    Later(String, Option<Duration>),
    /// It never will.
    Never(String),
}

/// A connection to the collector, kept between requests.
pub(super) struct Sender {
    agent: Agent,
    config: Config,
}

impl Sender {
    pub(super) fn new(config: Config) -> Result<Self, String> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::Specific(Arc::new(trusted(&config)?)));
        let agent = Agent::config_builder()
            .timeout_global(Some(config.timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            // The variables of proxies are the host's to read.
            .proxy(None)
            .tls_config(tls.build())
            .build()
            .into();
        Ok(Self { agent, config })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Sends a request; how many of its spans the collector has refused.
    pub(super) fn send(&self, body: &[u8]) -> Result<u64, Refusal> {
        let mut request = self
            .agent
            .post(&self.config.endpoint)
            .header("content-type", "application/x-protobuf")
            .header("user-agent", concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.config.headers {
            request = request.header(name, value.expose());
        }
        let sent = if self.config.compress {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            let packed = packed.write_all(body).and_then(|()| packed.finish());
            let packed = packed.map_err(|error| Refusal::Never(error.to_string()))?;
            request.header("content-encoding", "gzip").send(&packed[..])
        } else {
            request.send(body)
        };
        let mut response = sent.map_err(|error| Refusal::Later(error.to_string(), None))?;
        let status = response.status().as_u16();
        match status {
            200..300 => {
                let answer = response.body_mut().with_config().limit(MOST).read_to_vec();
                Ok(answer.map_or(0, |answer| rejected(&answer)))
            }
            // The ones that the specification names.
            429 | 502..=504 => {
                let after = response.headers().get("retry-after");
                let after = after.and_then(|after| after.to_str().ok()?.trim().parse().ok());
                Err(Refusal::Later(format!("status {status}"), after.map(Duration::from_secs)))
            }
            _ => Err(Refusal::Never(format!("status {status}"))),
        }
    }
}

/// The certificates of the given file, or of the platform where an address needs them.
fn trusted(config: &Config) -> Result<Vec<Certificate<'static>>, String> {
    let Some(path) = &config.certificate else {
        let is_secure = config.endpoint.starts_with("https://");
        let found = if is_secure { load_native_certs().certs } else { Vec::new() };
        return Ok(found.iter().map(|found| Certificate::from_der(found).to_owned()).collect());
    };
    let read = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let certificates = parse_pem(&read).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    if certificates.is_empty() {
        return Err(format!("{}: no certificate in it", path.display()));
    }
    Ok(certificates)
}

/// More than this no collector says.
const MOST: u64 = 64 << 10;

/// The number of spans that an answer says were refused: the first field of its first field.
fn rejected(answer: &[u8]) -> u64 {
    let inner = |bytes: &[u8]| -> Option<u64> {
        let [0x0a, rest @ ..] = bytes else { return None };
        let (_, rest) = varint(rest)?;
        let [0x08, rest @ ..] = rest else { return None };
        Some(varint(rest)?.0)
    };
    inner(answer).unwrap_or_default()
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let number = bytes[..length].iter().rev();
    let number = number.fold(0_u64, |number, byte| number << 7 | u64::from(byte & 0x7f));
    Some((number, &bytes[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-9: what a collector refuses of a request that it takes is known.
    #[test]
    fn partial_success_is_understood() {
        for (answer, expected) in [
            (&[][..], 0),
            (&[0x0a, 0], 0),
            (&[0x0a, 2, 0x08, 5], 5),
            (&[0x0a, 6, 0x08, 0xac, 2, 0x12, 1, b'x'], 300),
            (&[0x0a, 3, 0x12, 1, b'x'], 0),
            (b"<html>", 0),
        ] {
            assert_eq!(rejected(answer), expected, "{answer:?}");
        }
    }
}
