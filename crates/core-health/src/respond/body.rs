use std::fmt::Write as _;
use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use core_types::{Status, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::Answer;
use crate::{CheckSnapshot, State};

const WITHHELD: &str = "reason withheld";

#[derive(Serialize)]
struct JsonCheck<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// A check as a member of the answer's checks.
pub(crate) fn member(
    name: &str,
    state: State,
    latency: Option<Duration>,
    data: &Map<String, Value>,
    reason: Option<&str>,
) -> String {
    let (status, latency_ms) = (state.as_str(), latency.map(milliseconds));
    let mut out = Vec::with_capacity(ROOM);
    append(&mut out, name);
    out.push(b':');
    append(&mut out, &JsonCheck { status, latency_ms, data, reason });
    String::from_utf8(out).expect("JSON is text")
}

/// What every answer in JSON has, in bytes.
const FIXED: usize = concat!(
    r#"{"status":"","timestamp":"0000-00-00T00:00:00.000000Z","uptime_seconds":"#,
    r#","version":,"checks":{}}"#
)
.len();

/// An answer, whose version and checks are JSON already.
pub(crate) fn json(
    status: Status,
    uptime: Duration,
    version: &str,
    members: &[u8],
    warning: Option<&str>,
) -> Vec<u8> {
    let mut digits = [0; SECONDS];
    let warning = warning.map(|warning| {
        let mut out = br#","warning":"#.to_vec();
        append(&mut out, warning);
        out
    });
    let status = status.as_str().as_bytes();
    let uptime = seconds(uptime, &mut digits);
    let warning = warning.unwrap_or_default();
    // Without room to spare: then it becomes `Bytes` as it is.
    let variable = status.len() + uptime.len() + version.len() + members.len() + warning.len();
    let mut out = Vec::with_capacity(FIXED + variable);
    // By hand, for this is most of a short answer, and serde takes thrice as long for it.
    out.extend_from_slice(br#"{"status":""#);
    out.extend_from_slice(status);
    out.extend_from_slice(br#"","timestamp":""#);
    out.extend_from_slice(&Timestamp::now().to_bytes());
    out.extend_from_slice(br#"","uptime_seconds":"#);
    out.extend_from_slice(uptime);
    out.extend_from_slice(br#","version":"#);
    out.extend_from_slice(version.as_bytes());
    out.extend_from_slice(br#","checks":{"#);
    out.extend_from_slice(members);
    out.push(b'}');
    out.extend_from_slice(&warning);
    out.push(b'}');
    debug_assert_eq!(out.len(), FIXED + variable);
    out
}

/// The most that seconds take: 20 digits, a point, 6 digits.
const SECONDS: usize = 27;

/// Seconds, to the microsecond.
fn seconds(duration: Duration, room: &mut [u8; SECONDS]) -> &[u8] {
    let mut rest = room.as_mut_slice();
    append(&mut rest, &duration.as_secs());
    // Six digits behind the point, by way of a number that has one more.
    append(&mut rest, &(1_000_000 + duration.subsec_micros()));
    let end = SECONDS - rest.len();
    room[end - 7] = b'.';
    &room[..end]
}

/// The members of an answer's checks. One without a reason to show is not written anew: it stands in
/// the entry since it was first asked for after its last change.
pub(crate) fn members(checks: &[&CheckSnapshot], details: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(ROOM * checks.len());
    for (at, check) in checks.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let CheckSnapshot { name, state, latency, data, reason, .. } = check;
        match reason {
            Some(reason) if details => {
                out.extend(member(name, *state, *latency, data, Some(reason)).into_bytes());
            }
            _ => out.extend_from_slice(check.member.as_bytes()),
        }
    }
    out
}

/// The checks as members of an object; they come in order.
fn by_name<S: Serializer>(
    checks: &[(&str, impl Serialize)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(checks.iter().map(|(name, figures)| (name, figures)))
}

/// draft-inadarei-api-health-check-06, sections 3 and 4.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthJson<'a> {
    status: &'static str,
    release_id: &'a str,
    #[serde(serialize_with = "by_name")]
    checks: Vec<(&'a str, [HealthJsonCheck<'a>; 1])>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<[String; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HealthJsonCheck<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_unit: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
    /// Not of the draft, whose section 4 leaves room for keys of one's own.
    #[serde(skip_serializing_if = "Map::is_empty")]
    data: &'a Map<String, Value>,
}

pub(crate) fn health_json<'a>(answer: &Answer<'a>) -> Vec<u8> {
    let now = SystemTime::now();
    let check = |&check: &&'a CheckSnapshot| {
        // Of a check that passes, the draft wants no output.
        let show = answer.details && check.state != State::Healthy;
        let figures = HealthJsonCheck {
            status: pass_warn_fail(check.state.counts_as()),
            time: check.age.and_then(|age| now.checked_sub(age)).map(Timestamp::from),
            observed_value: check.latency.map(milliseconds),
            observed_unit: check.latency.map(|_| "ms"),
            output: check.reason.as_deref().filter(|_| show),
            data: &check.data,
        };
        (&*check.name, [figures])
    };
    let mut out = Vec::new();
    append(
        &mut out,
        &HealthJson {
            status: pass_warn_fail(answer.status),
            release_id: answer.version,
            checks: answer.checks.iter().map(check).collect(),
            notes: warning(answer).map(|warning| [warning]),
        },
    );
    out
}

fn pass_warn_fail(status: Status) -> &'static str {
    match status {
        Status::Healthy => "pass",
        Status::Degraded => "warn",
        Status::Unhealthy => "fail",
    }
}

/// One word; or, verbose, the lines that Kubernetes' own servers write.
pub(crate) fn text(answer: &Answer<'_>) -> Bytes {
    if !answer.verbose {
        return answer.status.as_str().into();
    }
    let mut out = String::new();
    for check in &answer.checks {
        let (sign, word) = match check.state {
            State::Healthy => ('+', "ok"),
            State::Degraded => ('+', "degraded"),
            State::Unhealthy => ('-', "failed"),
            State::Unknown => ('-', "unknown"),
        };
        let _ = write!(out, "[{sign}]{} {word}", check.name);
        if check.state != State::Healthy {
            let reason = check.reason.as_deref().filter(|_| answer.details).unwrap_or(WITHHELD);
            // A line stays a line.
            let _ = write!(out, ": {}", reason.replace(char::is_control, " "));
        }
        out.push('\n');
    }
    for check in &answer.excluded {
        let _ = writeln!(out, "[+]{} excluded: ok", check.name);
    }
    if let Some(warning) = warning(answer) {
        let _ = writeln!(out, "warn: {warning}");
    }
    let verdict = if answer.status == Status::Unhealthy { "failed" } else { "passed" };
    let _ = writeln!(out, "{} check {verdict}", answer.group);
    out.into()
}

pub(crate) fn warning(answer: &Answer<'_>) -> Option<String> {
    let names: Vec<_> = answer.unmatched.iter().map(|name| format!("{name:?}")).collect();
    (!names.is_empty())
        .then(|| format!("some checks cannot be excluded: no matches for {}", names.join(", ")))
}

/// To the microsecond: more digits are noise.
fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1e3
}

/// Room for a check.
const ROOM: usize = 160;

fn append(out: impl io::Write, value: &(impl Serialize + ?Sized)) {
    serde_json::to_writer(out, value)
        .expect("texts, finite numbers and JSON values under text keys");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HLT-4: so are the seconds since the start, however many.
    #[test]
    fn seconds_have_six_digits_behind_the_point() {
        for (duration, expected) in [
            (Duration::ZERO, "0.000000"),
            (Duration::from_nanos(1_000_020_999), "1.000020"),
            (Duration::new(u64::MAX, 999_999_999), "18446744073709551615.999999"),
        ] {
            assert_eq!(seconds(duration, &mut [0; SECONDS]), expected.as_bytes());
        }
    }

    /// HLT-4: numbers are numbers, to the microsecond.
    #[test]
    fn latencies_have_no_digits_below_the_microsecond() {
        for (nanoseconds, expected) in
            [(0, "0.0"), (999, "0.0"), (2_500_999, "2.5"), (1_234_567_891, "1234.567")]
        {
            let milliseconds = milliseconds(Duration::from_nanos(nanoseconds));
            assert_eq!(serde_json::to_string(&milliseconds).unwrap(), expected);
        }
    }
}
