use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// As much of Kubernetes' API server as Vault asks about a pod that logs in: whose token it is.
pub(crate) struct Reviewer {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Reviewer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let body = loop {
                    let mut part = [0; 4096];
                    let read = stream.read(&mut part).await.unwrap_or(0);
                    request.extend_from_slice(&part[..read]);
                    let text = String::from_utf8_lossy(&request);
                    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                    if let Ok(body) = serde_json::from_str::<serde_json::Value>(body) {
                        break body;
                    }
                    if read == 0 {
                        break json!(null);
                    }
                };
                let token = body["spec"]["token"].as_str().unwrap_or_default().to_owned();
                kept.lock().unwrap().push(token);
                let answer = json!({
                    "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                    "status": { "authenticated": true, "user": {
                        "username": "system:serviceaccount:default:app", "uid": "1",
                        "groups": ["system:serviceaccounts"],
                    } },
                })
                .to_string();
                let answer = format!(
                    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\
                     Connection: close\r\nContent-Length: {}\r\n\r\n{answer}",
                    answer.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { port, seen, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A token that the kubelet would have written, one for each number. Nobody checks its signature.
    pub(crate) fn token(number: u32) -> String {
        let encoded = |value: serde_json::Value| base64(value.to_string().as_bytes());
        let header = encoded(json!({ "alg": "RS256", "kid": "canary" }));
        let claims = encoded(json!({
            "iss": "kubernetes/serviceaccount", "sub": "system:serviceaccount:default:app",
            "iat": number, "exp": 4_000_000_000_u32,
            "kubernetes.io": { "namespace": "default", "serviceaccount": { "name": "app", "uid": "1" } },
        }));
        format!("{header}.{claims}.{}", base64(b"canary"))
    }

    /// The tokens that were asked about.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Reviewer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// As it stands in tokens, without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let bits = (0..3)
            .fold(0_u32, |bits, at| bits << 8 | u32::from(part.get(at).copied().unwrap_or(0)));
        for letter in 0..=part.len() {
            let index = bits >> (18 - 6 * letter) & 63;
            text.push(char::from(LETTERS[usize::try_from(index).unwrap()]));
        }
    }
    text
}
