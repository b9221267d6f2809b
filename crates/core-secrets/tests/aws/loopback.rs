//! A service that says what a test wants it to say.

use std::sync::{Arc, Mutex};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::http::receive;

/// What is answered to a request, by what it says and its number, from 0.
pub(crate) type Play = fn(&str, usize) -> String;

pub(crate) struct Loopback {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Loopback {
    pub(crate) async fn new(play: impl Fn(&str, usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&asked);
        #[expect(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let Ok((head, body)) = receive(&mut stream).await else { continue };
                let request = head + &body;
                let number = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                let _ = stream.write_all(play(&request, number).as_bytes()).await;
            }
        });
        Self { address, asked }
    }

    /// The requests so far, as they came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
