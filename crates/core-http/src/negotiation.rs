use http::HeaderMap;
use http::header::ACCEPT;

/// Whether a client asks for errors as `application/problem+json` (RFC 9457).
///
/// It does when it names that type, and does not like `application/json` better. A wildcard asks
/// for nothing in particular, and gets the plain shape.
pub(crate) fn prefers_problem(headers: &HeaderMap) -> bool {
    let (mut problem, mut json) = (0.0, 0.0);
    for line in headers.get_all(ACCEPT).iter().filter_map(|line| line.to_str().ok()) {
        for range in line.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default();
            if kind.eq_ignore_ascii_case("application/problem+json") {
                problem = quality(parts);
            } else if kind.eq_ignore_ascii_case("application/json") {
                json = quality(parts);
            }
        }
    }
    problem > 0.0 && problem >= json
}

/// The weight of a range (RFC 9110, section 12.4.2); one that cannot be read counts in full.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> f32 {
    let weight = parameters.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
    weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HTTP-2: `application/problem+json` by Accept.
    #[test]
    fn the_weights_decide() {
        let prefers = |accept: &str| {
            prefers_problem(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]))
        };
        for yes in [
            "application/problem+json",
            "Application/Problem+JSON; q=0.5",
            "application/problem+json, application/json",
            "text/html, application/json;q=0.8, application/problem+json;q=0.9, */*",
            "application/problem+json;q=nonsense",
        ] {
            assert!(prefers(yes), "{yes}");
        }
        for no in [
            "",
            "*/*",
            "application/*",
            "application/json",
            "application/problem+json;q=0",
            "application/problem+json;q=NaN",
            "application/problem+json;q=0.5, application/json",
        ] {
            assert!(!prefers(no), "{no}");
        }
        assert!(!prefers_problem(&HeaderMap::new()));
    }
}
