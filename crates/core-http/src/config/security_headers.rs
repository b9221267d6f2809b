/// The headers that tell browsers what not to do with an answer.
///
/// Each is added unless the handler has set it. An empty text switches it off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SecurityHeaders {
    /// `X-Content-Type-Options`. Default `nosniff`: what we call JSON is never run as a script.
    pub content_type_options: String,
    /// `X-Frame-Options`. Default `DENY`: nobody frames an answer to catch clicks.
    pub frame_options: String,
    /// `X-XSS-Protection`. Default `1; mode=block`, for browsers of before 2019; later ones have
    /// no such filter and ignore it.
    pub xss_protection: String,
    /// `Content-Security-Policy`. Default `default-src 'none'; frame-ancestors 'none'`: the answers
    /// of an API load nothing. A service with pages of its own sets its own policy.
    pub content_security_policy: String,
    /// `Referrer-Policy`. Default `no-referrer`: paths and their ids stay here.
    pub referrer_policy: String,
    /// `Permissions-Policy`. Default `camera=(), geolocation=(), microphone=()`: an API needs none.
    pub permissions_policy: String,
    /// `Strict-Transport-Security`, only on answers to requests that came by HTTPS (RFC 6797,
    /// section 7.2). Default `max-age=31536000; includeSubDomains`: one year, as preload lists ask.
    pub strict_transport_security: String,
}

impl SecurityHeaders {
    /// The values by default, in the order of the fields.
    pub(crate) const DEFAULTS: [&str; 7] = [
        "nosniff",
        "DENY",
        "1; mode=block",
        "default-src 'none'; frame-ancestors 'none'",
        "no-referrer",
        "camera=(), geolocation=(), microphone=()",
        "max-age=31536000; includeSubDomains",
    ];
}

impl Default for SecurityHeaders {
    fn default() -> Self {
        let [
            content_type_options,
            frame_options,
            xss_protection,
            content_security_policy,
            referrer_policy,
            permissions_policy,
            strict_transport_security,
        ] = Self::DEFAULTS.map(String::from);
        Self {
            content_type_options,
            frame_options,
            xss_protection,
            content_security_policy,
            referrer_policy,
            permissions_policy,
            strict_transport_security,
        }
    }
}
