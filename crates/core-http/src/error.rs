use crate::Cidr;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text that cannot be the value of a header.
    #[error("`{setting}` is not a valid header value")]
    HeaderValue {
        /// The setting, by its path within the configuration.
        setting: &'static str,
        /// What is wrong with it.
        source: http::header::InvalidHeaderValue,
    },
    /// A text that cannot be the name of a header.
    #[error("`{setting}` contains `{name}`, which is not a header name")]
    HeaderName {
        /// The setting, by its path within the configuration.
        setting: &'static str,
        /// The text.
        name: String,
        /// What is wrong with it.
        source: http::header::InvalidHeaderName,
    },
    /// A text that cannot be a method.
    #[error("`cors.allowed_methods` contains `{method}`, which is not an HTTP method")]
    Method {
        /// The text.
        method: String,
        /// What is wrong with it.
        source: http::method::InvalidMethod,
    },
    /// A text that no browser would send as an origin.
    #[error(
        "`cors.allowed_origins` contains `{origin}`: expected `*` or an origin as browsers send \
         it, such as `https://example.com` or `http://localhost:3000`, in lower case, without a \
         path and without the scheme's own port"
    )]
    Origin {
        /// The text.
        origin: String,
    },
    /// `*` beside credentials, which browsers refuse and which would open the service to everybody.
    #[error("`{setting}` must not contain `*` while `cors.allow_credentials` is on")]
    WildcardWithCredentials {
        /// The setting, by its path within the configuration.
        setting: &'static str,
    },
    /// A text that is no network.
    #[error("expected an address such as `10.0.0.7` or a network such as `10.0.0.0/8`")]
    Cidr,
    /// A network of proxies that contains the whole internet.
    #[error(
        "`trusted_proxies` contains `{network}`, by which every client could forge its address"
    )]
    TrustsEverybody {
        /// The network.
        network: Cidr,
    },
}
