use std::io;

use ::http::{StatusCode, Uri};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, ToSocketAddrs};

use crate::Report;

/// `HTTP/1.1 200`: what of an answer is looked at.
const STATUS_LINE: usize = 12;

/// Healthy if somebody accepts a TCP connection at an address, `host:port`.
///
/// Says that somebody listens there, and not who, nor whether they can do their work. The connection
/// is closed at once. Needs a Tokio runtime with I/O.
pub async fn tcp(address: impl ToSocketAddrs) -> Report {
    TcpStream::connect(address).await.map(drop).into()
}

/// Healthy if a GET of an `http://` address is answered by 200 to 399, as Kubernetes' probes judge.
///
/// HTTP/1.1 on a connection of its own; redirections are not followed, and of the answer nothing but
/// the status is read. It has no TLS: `https://` is unhealthy, and says so. Needs a Tokio runtime
/// with I/O.
pub async fn http(address: &str) -> Report {
    match ask(address).await {
        Ok(status) if status.is_success() || status.is_redirection() => Report::healthy(),
        Ok(status) => Report::unhealthy(format!("answered {status}")),
        Err(error) => Report::from(Err(error)),
    }
}

async fn ask(address: &str) -> io::Result<StatusCode> {
    let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let uri: Uri = address.parse().map_err(|_| invalid("not an address"))?;
    if uri.scheme_str() != Some("http") {
        return Err(invalid("only `http://` can be asked"));
    }
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(80);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}:{port}\r\nuser-agent: core-health\r\n\
         accept: */*\r\nconnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(format!("{host}:{port}")).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut line = [0; STATUS_LINE];
    stream.read_exact(&mut line).await?;
    status(&line).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "answered no HTTP"))
}

/// RFC 9112, section 4.
fn status(line: &[u8; STATUS_LINE]) -> Option<StatusCode> {
    StatusCode::from_bytes(line.strip_prefix(b"HTTP/1.")?.get(2..)?).ok()
}
