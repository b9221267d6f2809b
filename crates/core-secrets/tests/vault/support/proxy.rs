use std::io;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::SECOND;

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It is passed on.
    Pass,
    /// It is answered in Vault's place.
    Answer(u16),
    /// It is passed on, and the answer ends in its middle.
    Cut,
    /// It is passed on, and the answer comes a byte a second.
    Slow,
}

/// Stands before a server, counts requests, and makes trouble. One request for each connection.
pub(crate) struct Proxy {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    serving: JoinHandle<()>,
}

struct Shared {
    mode: Mode,
    requests: Vec<String>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let shared = Arc::new(Mutex::new(Shared { mode: Mode::Pass, requests: Vec::new() }));
        let state = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&state);
                tokio::spawn(async move {
                    // Whoever hangs up had a reason.
                    let _ = serve(stream, port, &state).await;
                });
            }
        });
        Self { port: own, shared, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.shared.lock().unwrap().mode = mode;
    }

    /// The head of every request so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.lock().unwrap().requests.clone()
    }

    /// How many requests there were so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.lock().unwrap().requests.len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut client: TcpStream, port: u16, shared: &Mutex<Shared>) -> io::Result<()> {
    let mut request = Vec::new();
    loop {
        let read = client.read_buf(&mut request).await?;
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("it was read so far");
    let mode = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push(head.to_owned());
        shared.mode
    };
    if let Mode::Answer(status) = mode {
        let answer = format!(
            "HTTP/1.1 {status} Trouble\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{{\"errors\":[]}}"
        );
        return client.write_all(answer.as_bytes()).await;
    }
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    server.write_all(format!("{head}\r\nConnection: close\r\n\r\n{body}").as_bytes()).await?;
    match mode {
        Mode::Cut => {
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await?;
            client.write_all(&answer[..answer.len() - 20]).await
        }
        Mode::Slow => {
            let mut byte = [0];
            while server.read(&mut byte).await? > 0 {
                client.write_all(&byte).await?;
                tokio::time::sleep(SECOND).await;
            }
            Ok(())
        }
        _ => tokio::io::copy(&mut server, &mut client).await.map(drop),
    }
}
