use core_http::Failure;
use core_types::Secret;
use http::{HeaderMap, HeaderValue, header};

/// How to show the token (RFC 6750, section 3).
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="ops""#);

/// Whether the caller may see details and change state.
///
/// Without a configured token nobody may: that is 403, for no token would help. With one, a missing
/// or wrong token is 401. Compared in constant time.
pub(super) fn check(
    headers: &HeaderMap,
    configured: Option<&Secret<String>>,
) -> Result<(), Failure> {
    let Some(configured) = configured else {
        let message = "no ops token is configured, so nobody may; set `ops.token`";
        return Err(Failure::forbidden(message));
    };
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| Secret::from(token.trim()));
    // A trailing newline is how a mounted file or a shell ends it.
    let wanted = Secret::from(configured.expose().trim());
    if given.is_some_and(|given| given == wanted) {
        Ok(())
    } else {
        let message = "the ops token is missing or wrong";
        Err(Failure::unauthorized(message).with_challenge(CHALLENGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_configured_token_opens() {
        let status = |header: Option<&str>, configured: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(header) = header {
                headers.insert(header::AUTHORIZATION, header.parse().expect("a header"));
            }
            let configured = configured.map(Secret::from);
            check(&headers, configured.as_ref()).map_err(|failure| failure.status().as_u16())
        };
        assert_eq!(status(None, None), Err(403));
        assert_eq!(status(Some("Bearer x"), None), Err(403));
        assert_eq!(status(None, Some("t")), Err(401));
        for wrong in ["Bearer x", "Bearer", "Bearer ", "t", "Basic t", "Bearer tt"] {
            assert_eq!(status(Some(wrong), Some("t")), Err(401), "{wrong}");
        }
        assert_eq!(status(Some("Bearer t"), Some("t")), Ok(()));
        assert_eq!(status(Some("bearer t"), Some("t\n")), Ok(()));
    }
}
