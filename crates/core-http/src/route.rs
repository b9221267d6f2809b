use std::fmt;
use std::sync::Arc;

/// The template by which a request was routed, such as `/users/{id}`.
///
/// Reports go by template, since paths are without number. The app names it in one of two ways:
/// by [`Context::set_route`](crate::Context::set_route) when the request is routed, which counts
/// even if the handler then panics or takes too long; or by putting a `Route` into the extensions
/// of its response.
#[derive(Clone)]
pub struct Route(Template);

#[derive(Clone)]
enum Template {
    Static(&'static str),
    Shared(Arc<str>),
    /// Kept whole: axum shares the text, and does not give it away.
    #[cfg(feature = "axum")]
    Matched(axum::extract::MatchedPath),
}

impl Route {
    /// What stands in the place of a template where there is none.
    pub(crate) const UNMATCHED: &'static str = "unmatched";

    /// The template.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Template::Static(template) => template,
            Template::Shared(template) => template,
            #[cfg(feature = "axum")]
            Template::Matched(template) => template.as_str(),
        }
    }
}

impl From<&'static str> for Route {
    fn from(template: &'static str) -> Self {
        Self(Template::Static(template))
    }
}

impl From<Arc<str>> for Route {
    fn from(template: Arc<str>) -> Self {
        Self(Template::Shared(template))
    }
}

#[cfg(feature = "axum")]
impl From<axum::extract::MatchedPath> for Route {
    fn from(path: axum::extract::MatchedPath) -> Self {
        Self(Template::Matched(path))
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
