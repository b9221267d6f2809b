//! `healthcheck`: asks the service that runs with this configuration how it is. For container
//! runtimes, whose health checks are programs, in images that hold no other program.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use core_config::Loader;

use crate::{BoxError, Error, Exit, Ops, Settings, hints, say};

/// Less than what runtimes usually give a health check, so that it is this that tells what is wrong.
const LIMIT: Duration = Duration::from_millis(2500);
/// A probe's answer is far shorter.
const LONGEST: usize = 64 * 1024;

/// Asks for a probe by its name, `ready` for instance. No secret is fetched: nothing but the address
/// is needed.
pub(crate) fn run<A: core_config::Settings>(
    name: &str,
    probe: &str,
    loader: &Loader<Settings<A>>,
) -> Exit {
    match asked(probe, loader) {
        Ok(answer) => say::answer(&format!("{}\n", answer.trim_end())),
        Err(error) => {
            hints::refused(name, &core_types::Chain(&error).to_string());
            Exit::failed(error)
        }
    }
}

fn asked<A: core_config::Settings>(
    probe: &str,
    loader: &Loader<Settings<A>>,
) -> Result<String, Error> {
    let ops: Ops = loader.read()?.section("ops")?;
    let address = reachable(ops.bind_address);
    ask(address, probe).map_err(|source| Error::Unwell { address, source })
}

/// Where to reach from within what listens at an address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Asks, and returns the body of an answer that says yes.
fn ask(address: SocketAddr, probe: &str) -> Result<String, BoxError> {
    let until = Instant::now() + LIMIT;
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_write_timeout(Some(LIMIT))?;
    let request = format!(
        "GET /health/{probe} HTTP/1.1\r\nhost: {address}\r\naccept: text/plain\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        // A trickle may not hold it up either.
        let left = until.saturating_duration_since(Instant::now());
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        let read = stream.read(&mut buffer)?;
        if read == 0 || answer.len() > LONGEST {
            break;
        }
        if left.is_zero() {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    let status = status.split_once(' ').map_or("no HTTP", |(_, status)| status);
    if !status.starts_with("200") {
        return Err(format!("{status}: {}", body.trim_end()).into());
    }
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// An answer, once.
    fn says(answer: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::Builder::new()
            .spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1024]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            })
            .unwrap();
        address
    }

    /// DIST-4: the answer decides, not that there is one.
    #[test]
    fn only_yes_is_yes() {
        let asked = |answer| ask(says(answer), "ready").map_err(|error| error.to_string());
        assert_eq!(asked("HTTP/1.1 200 OK\r\na: b\r\n\r\nhealthy"), Ok("healthy".into()));
        let error = "503 Service Unavailable: starting".to_owned();
        assert_eq!(asked("HTTP/1.1 503 Service Unavailable\r\n\r\nstarting\n"), Err(error));
        assert_eq!(asked("nonsense"), Err("no HTTP: ".into()));
    }

    /// DIST-4: it finds a service that listens on all addresses.
    #[test]
    fn all_addresses_are_reached_by_loopback() {
        for (bound, reached) in [
            ("0.0.0.0:9090", "127.0.0.1:9090"),
            ("[::]:9090", "[::1]:9090"),
            ("127.0.0.2:1", "127.0.0.2:1"),
        ] {
            assert_eq!(reachable(bound.parse().unwrap()), reached.parse().unwrap());
        }
    }
}
