use core_types::Duration;

/// Which pages of other origins may call this service from a browser
/// ([Fetch, section 3.3](https://fetch.spec.whatwg.org/#http-cors-protocol)).
///
/// An origin that is not allowed gets no CORS headers, by which its browser hides the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cors {
    /// The origins, compared letter by letter: `https://example.com`, `http://localhost:3000`; or
    /// `*` for all, which is refused together with credentials. Default: none, and CORS is off:
    /// preflights go to the handler, and nothing is added.
    pub allowed_origins: Vec<String>,
    /// The methods that a page may use. Default `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE`:
    /// what an API has; the handler decides which of them it knows.
    pub allowed_methods: Vec<String>,
    /// The request headers that a page may set. Default `authorization`, `content-type` and the
    /// headers by which a request is followed: what a page that talks JSON needs.
    pub allowed_headers: Vec<String>,
    /// The response headers that a page may read. Default `x-request-id`, `x-error-id`,
    /// `retry-after`: what it shows to its user when something fails.
    pub exposed_headers: Vec<String>,
    /// Whether a page may send cookies and other credentials. Default `false`: a session of the
    /// user must not be usable by a page unless somebody decided so.
    pub allow_credentials: bool,
    /// How long a browser may remember the answer to a preflight. Default `10m`: the longest that
    /// all common browsers grant.
    pub max_age: Duration,
}

impl Default for Cors {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Self {
            allowed_origins: Vec::new(),
            allowed_methods: list(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
            allowed_headers: list(&[
                "authorization",
                "content-type",
                "x-request-id",
                "x-correlation-id",
                "traceparent",
                "tracestate",
                "baggage",
            ]),
            exposed_headers: list(&["x-request-id", "x-error-id", "retry-after"]),
            allow_credentials: false,
            max_age: Duration::from_secs(600),
        }
    }
}
