use std::cmp::Reverse;

use http::{HeaderMap, HeaderValue, header::ACCEPT};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    HealthJson,
    Text,
}

impl Format {
    pub(crate) fn media_type(self) -> HeaderValue {
        const JSON: HeaderValue = HeaderValue::from_static("application/json");
        const HEALTH_JSON: HeaderValue = HeaderValue::from_static("application/health+json");
        const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
        match self {
            Self::Json => JSON,
            Self::HealthJson => HEALTH_JSON,
            Self::Text => TEXT,
        }
    }

    /// How closely a media range of `Accept` fits: exactly, by its type, or as everything does.
    fn fit(self, range: &str) -> Option<u8> {
        let (exact, kind) = match self {
            Self::Json => ("application/json", "application/*"),
            Self::HealthJson => ("application/health+json", "application/*"),
            Self::Text => ("text/plain", "text/*"),
        };
        let fits = [(exact, 2), (kind, 1), ("*/*", 0)];
        fits.iter().find(|(name, _)| range.eq_ignore_ascii_case(name)).map(|&(_, fit)| fit)
    }
}

/// The format that a caller likes best (RFC 9110, section 12.5.1).
///
/// Among equals, the one that it names most closely, then the one that it names first, then JSON.
/// One that likes none gets JSON: an answer that it did not ask for says more than 406.
pub(crate) fn choose(headers: &HeaderMap) -> Format {
    let mut lines = headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes);
    match (lines.next(), lines.next()) {
        // What probes send needs no weighing.
        (None | Some(b"*/*" | b"application/json"), None) => Format::Json,
        (Some(b"text/plain"), None) => Format::Text,
        _ => weigh(headers),
    }
}

fn weigh(headers: &HeaderMap) -> Format {
    let ranges: Vec<(&str, u16)> = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(read)
        .collect();
    let liking = |format: Format| {
        let fits = ranges.iter().enumerate();
        let fits = fits.filter_map(|(at, &(range, q))| Some((format.fit(range)?, Reverse(at), q)));
        // The closest range is the one that speaks for a format.
        let (fit, at, q) = fits.max_by_key(|&(fit, at, _)| (fit, at))?;
        (q > 0).then_some((q, fit, at))
    };
    // `max_by_key` takes the last of equals.
    [Format::Text, Format::HealthJson, Format::Json]
        .into_iter()
        .filter_map(|format| Some((format, liking(format)?)))
        .max_by_key(|&(_, liking)| liking)
        .map_or(Format::Json, |(format, _)| format)
}

/// One media range and its weight in thousandths, unless the weight is none.
fn read(range: &str) -> Option<(&str, u16)> {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight: f32 = weight.map_or(Ok(1.0), str::parse).ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
    (0.0..=1.0).contains(&weight).then(|| (name, (weight * 1000.0).round() as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(accept: &[&str], expected: Format) {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, value.parse().unwrap());
        }
        assert_eq!(choose(&headers), expected, "{accept:?}");
    }

    /// HLT-4: the answer is what `Accept` likes best, and JSON when it does not say.
    #[test]
    fn the_best_liked_format_is_chosen() {
        use Format::{HealthJson, Json, Text};
        check(&[], Json);
        check(&["*/*"], Json);
        check(&["application/*"], Json);
        check(&["application/json"], Json);
        check(&["application/health+json"], HealthJson);
        check(&["text/plain"], Text);
        check(&["text/*"], Text);
        check(&["TEXT/Plain; charset=utf-8"], Text);
        check(&["text/plain, */*"], Text);
        check(&["*/*, text/plain"], Text);
        check(&["application/json, text/plain, */*"], Json);
        check(&["text/plain, application/json"], Text);
        check(&["application/health+json, application/json"], HealthJson);
        check(&["application/json;q=0.5, text/plain;q=0.4"], Json);
        check(&["application/json;q=0.4, text/plain; q=0.5"], Text);
        check(&["application/json;q=0.4", "text/plain;q=0.5"], Text);
        check(&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Json);
        check(&["application/json;q=0, */*"], HealthJson);
        check(&["application/*;q=0, */*;q=0.1"], Text);
        check(&["text/plain;q=0.001"], Text);
    }

    #[test]
    fn who_likes_none_gets_json() {
        for accept in ["image/png", "text/plain;q=0", "*/*;q=0", "", ",;,", "text/plain;q=NaN"] {
            check(&[accept], Format::Json);
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let mut headers = HeaderMap::new();
                headers.append(ACCEPT, value);
                choose(&headers);
            }
        }
    }
}
