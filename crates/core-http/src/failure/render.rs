use std::io::Write as _;

use bytes::Bytes;

use super::Failure;

/// What `details` is where there are none, so that clients need not ask.
const NO_DETAILS: &[u8] = b"{}";

impl Failure {
    /// The body: our own shape, or that of RFC 9457 with ours as extension members.
    pub(crate) fn body(&self, as_problem: bool) -> Bytes {
        let mut json = Vec::with_capacity(256);
        json.push(b'{');
        if as_problem {
            // `about:blank` says that the status tells all; then the title is its phrase.
            let title = self.status().canonical_reason().unwrap_or_default();
            json.extend_from_slice(br#""type":"about:blank","title":"#);
            text(&mut json, title);
            write!(json, r#","status":{},"detail":"#, self.status().as_u16())
                .expect("memory can be written to");
            text(&mut json, self.message());
            json.push(b',');
        }
        json.extend_from_slice(br#""error_id":"#);
        text(&mut json, self.id().as_str());
        json.extend_from_slice(br#","error_code":"#);
        text(&mut json, self.code());
        if !as_problem {
            json.extend_from_slice(br#","message":"#);
            text(&mut json, self.message());
        }
        write!(json, r#","timestamp":"{}","details":"#, self.0.timestamp)
            .expect("memory can be written to");
        match &self.0.details {
            Some(details) => serde_json::to_writer(&mut json, details)
                .expect("a JSON value can be written as JSON"),
            None => json.extend_from_slice(NO_DETAILS),
        }
        json.push(b'}');
        json.into()
    }
}

/// Writes a text in quotes, escaped.
fn text(json: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(json, text).expect("a text can be written as JSON");
}
