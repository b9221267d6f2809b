use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::add;
use crate::{Cors as Config, Error};

const ANY: HeaderValue = HeaderValue::from_static("*");

/// Cross-origin rules in the form in which requests use them.
pub(crate) struct Cors {
    /// Every origin; then the answer is the same for all of them.
    any: bool,
    origins: Vec<HeaderValue>,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    exposed: Option<HeaderValue>,
    credentials: bool,
    max_age: HeaderValue,
}

impl Cors {
    /// `None` if no origin is allowed: then CORS is off.
    pub(crate) fn new(config: &Config) -> Result<Option<Self>, Error> {
        if config.allow_credentials {
            refuse_wildcards(config)?;
        }
        let methods = list("cors.allowed_methods", &config.allowed_methods, |method| {
            Method::from_bytes(method.as_bytes())
                .map(|method| method.to_string())
                .map_err(|source| Error::Method { method: method.into(), source })
        })?;
        let headers = |setting, names| {
            list(setting, names, |name| {
                HeaderName::from_bytes(name.as_bytes())
                    .map(|name| name.to_string())
                    .map_err(|source| Error::HeaderName { setting, name: name.into(), source })
            })
        };
        let origins = config.allowed_origins.iter().filter(|origin| *origin != "*");
        let origins = origins.map(|text| origin(text)).collect::<Result<Vec<_>, _>>()?;
        let cors = Self {
            any: config.allowed_origins.iter().any(|origin| origin == "*"),
            origins,
            methods,
            headers: headers("cors.allowed_headers", &config.allowed_headers)?,
            exposed: headers("cors.exposed_headers", &config.exposed_headers)?,
            credentials: config.allow_credentials,
            max_age: config.max_age.get().as_secs().into(),
        };
        Ok((!config.allowed_origins.is_empty()).then_some(cors))
    }

    /// What `Access-Control-Allow-Origin` says to a request; nothing if its origin is refused, or
    /// if it has none.
    pub(crate) fn grant(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        if self.any {
            return Some(ANY);
        }
        self.origins.contains(origin).then(|| origin.clone())
    }

    /// Adds to an answer what lets the page read it.
    pub(crate) fn open(&self, headers: &mut HeaderMap, grant: Option<&HeaderValue>) {
        if !self.any {
            vary_by_origin(headers);
        }
        let Some(origin) = grant else { return };
        // A handler that answers for itself answers for all of it.
        if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return;
        }
        add(headers, &ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            add(headers, &ACCESS_CONTROL_ALLOW_CREDENTIALS, &yes);
        }
        if let Some(exposed) = &self.exposed {
            add(headers, &ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }

    /// Adds to the answer of a preflight what the page may send.
    pub(crate) fn allow(&self, headers: &mut HeaderMap) {
        add(headers, &ACCESS_CONTROL_MAX_AGE, &self.max_age);
        if let Some(methods) = &self.methods {
            add(headers, &ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Some(allowed) = &self.headers {
            add(headers, &ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
    }
}

/// Tells caches that the answer is another one for another origin, or for none.
fn vary_by_origin(headers: &mut HeaderMap) {
    let says_so = |value: &HeaderValue| {
        let mut names = value.as_bytes().split(|b| *b == b',').map(<[u8]>::trim_ascii);
        names.any(|name| name.eq_ignore_ascii_case(b"origin") || name == b"*")
    };
    if !headers.get_all(VARY).iter().any(says_so) {
        let _ = headers.try_append(VARY, HeaderValue::from_static("origin"));
    }
}

/// With credentials a browser takes `*` for a name, or refuses it: it would never do what it says.
fn refuse_wildcards(config: &Config) -> Result<(), Error> {
    let lists = [
        ("cors.allowed_origins", &config.allowed_origins),
        ("cors.allowed_methods", &config.allowed_methods),
        ("cors.allowed_headers", &config.allowed_headers),
        ("cors.exposed_headers", &config.exposed_headers),
    ];
    match lists.into_iter().find(|(_, list)| list.iter().any(|member| member == "*")) {
        Some((setting, _)) => Err(Error::WildcardWithCredentials { setting }),
        None => Ok(()),
    }
}

/// An origin as browsers write it: anything else would never be equal to one.
fn origin(text: &str) -> Result<HeaderValue, Error> {
    let refused = || Error::Origin { origin: text.into() };
    let uri: Uri = text.parse().map_err(|_| refused())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(refused());
    };
    let own_port =
        matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
    let is_origin = text == format!("{scheme}://{authority}")
        && !text.bytes().any(|b| b.is_ascii_uppercase() || b == b'@')
        && !own_port;
    if !is_origin {
        return Err(refused());
    }
    HeaderValue::from_str(text).map_err(|_| refused())
}

/// A list header of checked members; none if there are none.
fn list(
    setting: &'static str,
    members: &[String],
    check: impl Fn(&str) -> Result<String, Error>,
) -> Result<Option<HeaderValue>, Error> {
    let members = members.iter().map(|member| check(member)).collect::<Result<Vec<_>, _>>()?;
    super::value(setting, &members.join(", "))
}
