//! Protobuf as far as traces need it, by
//! <https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/opentelemetry/proto/trace/v1/trace.proto>.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Config, Kind, Span};
use crate::json;

/// A message that is being put together.
#[derive(Default)]
struct Message(Vec<u8>);

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.0.push(number.to_le_bytes()[0]);
    }

    fn tag(&mut self, field: u8, kind: u8) {
        self.varint(u64::from(field) << 3 | u64::from(kind));
    }

    fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.tag(field, BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u8, text: &str) {
        if !text.is_empty() {
            self.bytes(field, text.as_bytes());
        }
    }

    fn number(&mut self, field: u8, number: u64) {
        self.tag(field, VARINT);
        self.varint(number);
    }

    fn fixed(&mut self, field: u8, number: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn moment(&mut self, field: u8, moment: SystemTime) {
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.fixed(field, u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
    }

    fn message(&mut self, field: u8, write: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        write(&mut inner);
        self.bytes(field, &inner.0);
    }

    fn attribute(&mut self, field: u8, name: &str, write: impl FnOnce(&mut Self)) {
        self.message(field, |pair| {
            pair.text(1, name);
            pair.message(2, write);
        });
    }
}

/// The request that carries these spans; their fields are as a line's, cleaned.
pub(super) fn request(config: &Config, spans: &[(Span, String)]) -> Vec<u8> {
    let mut request = Message::default();
    request.message(1, |of_resource| {
        of_resource.message(1, |resource| {
            let own = [
                ("telemetry.sdk.name", env!("CARGO_PKG_NAME")),
                ("telemetry.sdk.language", "rust"),
                ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
            ];
            let said = config.resource.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            for (name, value) in said.chain(own) {
                resource.attribute(1, name, |out| out.text(1, value));
            }
        });
        let mut scopes: Vec<&str> = spans.iter().map(|(span, _)| span.scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        for scope in scopes {
            of_resource.message(2, |of_scope| {
                of_scope.message(1, |out| out.text(1, scope));
                for (span, line) in spans.iter().filter(|(span, _)| span.scope == scope) {
                    of_scope.message(2, |out| write(out, span, line, config.max_attributes));
                }
            });
        }
    });
    request.0
}

fn write(out: &mut Message, span: &Span, line: &str, max_attributes: usize) {
    let Span { trace, kind, begun, ended, has_failed, .. } = span;
    let mut name = span.name.as_str().into();
    let mut kind = *kind;
    let (mut has_failed, mut description) = (*has_failed, String::new());
    let mut attributes = Message::default();
    let mut count = 0;
    for (member, value) in json::members(line) {
        let (member, text) = (json::unescape(member), json::text_of(value));
        match member.as_ref() {
            // By these names others steer their exporters, too.
            "otel.name" => name = text,
            "otel.kind" => kind = kind_of(&text).unwrap_or(kind),
            "otel.status_code" => has_failed = text.eq_ignore_ascii_case("error"),
            "otel.status_description" => description = text.into_owned(),
            _ => {
                count += 1;
                if count <= max_attributes {
                    attributes.attribute(9, &member, |out| write_value(out, value, &text));
                }
            }
        }
    }
    out.bytes(1, &trace.trace_id().to_bytes());
    out.bytes(2, &trace.span_id().to_bytes());
    out.text(3, trace.state().header().unwrap_or_default());
    if let Some(parent) = trace.parent_span_id() {
        out.bytes(4, &parent.to_bytes());
    }
    out.text(5, &name);
    out.number(6, kind as u64);
    out.moment(7, *begun);
    out.moment(8, *ended);
    out.0.extend_from_slice(&attributes.0);
    if count > max_attributes {
        out.number(10, (count - max_attributes) as u64);
    }
    if has_failed {
        const ERROR: u64 = 2;
        out.message(15, |status| {
            status.text(2, &description);
            status.number(3, ERROR);
        });
    }
    out.tag(16, FIXED32);
    // Only what is sampled is exported.
    out.0.extend_from_slice(&1_u32.to_le_bytes());
}

fn kind_of(text: &str) -> Option<Kind> {
    Some(match text.to_ascii_lowercase().as_str() {
        "internal" => Kind::Internal,
        "server" => Kind::Server,
        "client" => Kind::Client,
        "producer" => Kind::Producer,
        "consumer" => Kind::Consumer,
        _ => return None,
    })
}

/// A value with its type; lists and tables as the JSON they are.
fn write_value(out: &mut Message, value: &str, text: &str) {
    if value.starts_with('"') {
        // Also an empty text is one.
        out.bytes(1, text.as_bytes());
    } else if matches!(value, "true" | "false") {
        out.number(2, u64::from(value == "true"));
    } else if let Ok(number) = value.parse::<i64>() {
        out.number(3, number.cast_unsigned());
    } else if let Ok(number) = value.parse::<f64>() {
        out.fixed(4, number.to_bits());
    } else {
        out.bytes(1, value.as_bytes());
    }
}
