//! One Secret, watched for as long as somebody listens.

use std::time::Duration;

use futures_util::stream::{self, Stream};
use http::StatusCode;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use super::connection::{Connection, classified};
use crate::retry::random;
use crate::{BackendError, ErrorKind};

/// The server ends a watch after so long, and it is begun anew: so that a change of rights is
/// noticed, and one lost event is not lost for ever.
const LONGEST: Duration = Duration::from_secs(240);

/// A watch that lasted so long was no failure.
const LASTING: Duration = Duration::from_secs(60);

/// The first wait after a failure; it doubles for each one after, up to the second.
const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

/// The wait after a refusal: a right that is missing is not granted within a minute.
const REFUSED: Duration = Duration::from_secs(300);

/// A longer line is none of a watch: it carries no values.
const LONGEST_LINE: usize = 1024 * 1024;

/// An event of a watch.
#[derive(Deserialize)]
struct Told {
    #[serde(rename = "type")]
    kind: String,
    object: Object,
}

/// The metadata of a Secret; or, in place of one, the reason why the watch ends.
#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    code: u16,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(rename = "resourceVersion")]
    version: Option<String>,
}

/// Tells whenever the Secret is in a version that is news. Begins by itself, and begins anew.
pub(super) fn changes<'a>(
    connection: &'a Connection,
    name: &'a str,
    is_news: impl Fn(Option<&str>) -> bool + Send + 'a,
) -> impl Stream<Item = ()> + Send + 'a {
    let watch = Watch { connection, name, open: None, delay: SHORT };
    stream::unfold((watch, is_news), |(mut watch, is_news)| async move {
        loop {
            let version = watch.next().await;
            if is_news(version.as_deref()) {
                return Some(((), (watch, is_news)));
            }
        }
    })
}

struct Watch<'a> {
    connection: &'a Connection,
    name: &'a str,
    open: Option<Open>,
    delay: Duration,
}

/// A watch that the server has begun.
struct Open {
    body: Body,
    since: Instant,
    /// What came after the last whole line.
    rest: Vec<u8>,
}

impl Watch<'_> {
    /// The next version that the server tells of. No version is remembered from one watch to the
    /// next: each begins by telling how the Secret is, so that none can be too old to go on from.
    async fn next(&mut self) -> Option<String> {
        loop {
            let ended = match &mut self.open {
                None => match self.connection.watch(self.name, LONGEST).await {
                    Ok(body) => {
                        let since = Instant::now();
                        self.open = Some(Open { body, since, rest: Vec::new() });
                        continue;
                    }
                    Err(error) => Some(error),
                },
                Some(open) => match timeout(LONGEST + self.connection.timeout(), open.told()).await
                {
                    Ok(Ok(Some(told))) if told.kind != "ERROR" => {
                        return told.object.metadata.version;
                    }
                    Ok(Ok(Some(told))) => Some(told.reason()),
                    Ok(Ok(None)) => None,
                    Ok(Err(error)) => Some(error),
                    Err(_) => Some(BackendError::unavailable("the watch fell silent")),
                },
            };
            let lasted = self.open.take().is_some_and(|open| open.since.elapsed() >= LASTING);
            sleep(self.pause(ended.as_ref(), lasted)).await;
        }
    }

    /// How long to wait before the next watch.
    fn pause(&mut self, ended: Option<&BackendError>, lasted: bool) -> Duration {
        if lasted {
            self.delay = SHORT;
        }
        let passing = |error: &BackendError| error.kind() == ErrorKind::Unavailable;
        let (least, longest) = match ended {
            Some(error) if passing(error) => (error.retry_after().unwrap_or_default(), self.delay),
            Some(_) => (Duration::ZERO, REFUSED),
            None => (Duration::ZERO, self.delay),
        };
        self.delay = (self.delay * 2).min(LONG);
        // At random, so that not everybody comes back at once.
        least + longest.mul_f64(0.5 + 0.5 * random())
    }
}

impl Open {
    /// The next event; none if the server has ended the watch.
    async fn told(&mut self) -> Result<Option<Told>, BackendError> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).map(Some).map_err(|_| nonsense());
            }
            if self.rest.len() > LONGEST_LINE {
                return Err(nonsense());
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.rest.extend_from_slice(data);
                    }
                }
                Some(Err(_)) => return Err(BackendError::unavailable("the watch broke off")),
                None => return Ok(None),
            }
        }
    }
}

impl Told {
    fn reason(&self) -> BackendError {
        let code = self.object.code;
        let text = format!("the API server ended the watch with {code}");
        match StatusCode::from_u16(code) {
            Ok(status) => classified(status, text),
            Err(_) => BackendError::unavailable(text),
        }
    }
}

fn nonsense() -> BackendError {
    BackendError::unavailable("what the API server tells of the watch makes no sense")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KubernetesConfig;

    /// SEC-4: pauses grow from a second to a minute while a server is down, and a refusal is left
    /// alone for minutes.
    #[test]
    fn pauses_grow_and_begin_anew() {
        let connection = Connection::new(KubernetesConfig::default());
        let mut watch = Watch { connection: &connection, name: "a", open: None, delay: SHORT };
        let down = BackendError::unavailable("");
        for longest in [1, 2, 4, 8, 16, 32, 60, 60] {
            let longest = Duration::from_secs(longest);
            let pause = watch.pause(Some(&down), false);
            assert!(longest / 2 <= pause && pause <= longest, "{pause:?} of {longest:?}");
        }
        assert!(watch.pause(None, true) <= SHORT, "a watch that lasted");
        assert!(watch.pause(Some(&BackendError::denied("")), false) >= REFUSED / 2);
        let busy = down.with_retry_after(Duration::from_secs(90));
        assert!(watch.pause(Some(&busy), false) >= Duration::from_secs(90));
    }
}
