use std::path::PathBuf;
use std::time::Duration;

use core_types::Secret;

use super::Sampler;

/// Where spans go, and how: what OpenTelemetry's standard variables say.
///
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The whole address: `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// Headers of every request, such as an authorization.
    pub headers: Vec<(String, Secret<String>)>,
    /// A file of certificates (PEM) that are trusted in the place of the usual ones.
    pub certificate: Option<PathBuf>,
    /// Whether requests are compressed. Default: no.
    pub compress: bool,
    /// How long one request may take. Default: 10s.
    pub timeout: Duration,
    /// Which traces are recorded. Default: those that begin here, and of the others what was
    /// decided upstream.
    pub sampler: Sampler,
    /// What is said of the process; `service.name` among it.
    pub resource: Vec<(String, String)>,
    /// How many spans may wait; what comes then is dropped and counted. Default: 2048.
    pub max_queue: usize,
    /// How many go in one request. Default: 512.
    pub max_batch: usize,
    /// How long a span may wait for others. Default: 5s.
    pub delay: Duration,
    /// How many attributes a span may have. Default: 128.
    pub max_attributes: usize,
}

impl Config {
    /// To this address, by the defaults of the specification.
    #[must_use]
    pub fn new(endpoint: impl Into<String>, service: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: Vec::new(),
            certificate: None,
            compress: false,
            timeout: Duration::from_secs(10),
            sampler: Sampler::PARENT_BASED,
            resource: vec![("service.name".into(), service.into())],
            max_queue: 2048,
            max_batch: 512,
            delay: Duration::from_secs(5),
            max_attributes: 128,
        }
    }

    /// What the variables `OTEL_*` say; `service` is the name if they say none. With it what they
    /// say in vain, for the log.
    ///
    /// Spans are exported only if an endpoint is named, or `OTEL_TRACES_EXPORTER=otlp`: nobody
    /// wants a service to look for a collector that was never there.
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
        service: &str,
    ) -> (Option<Self>, Vec<String>) {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let mut read = Reader { variable: &variable, complaints: Vec::new() };
        let endpoint = read.endpoint();
        let exporter = variable("OTEL_TRACES_EXPORTER");
        let is_wanted = match exporter.as_deref() {
            Some("otlp") => true,
            Some("none") => false,
            Some(other) => read.complain::<()>("OTEL_TRACES_EXPORTER", other).is_some(),
            None => endpoint.is_some(),
        };
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        if !is_wanted || is_disabled {
            return (None, read.complaints);
        }
        let endpoint = endpoint.unwrap_or_else(|| "http://localhost:4318/v1/traces".into());
        let mut config = Self::new(endpoint, service);
        read.all(&mut config);
        (Some(config), read.complaints)
    }
}

struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    complaints: Vec<String>,
}

impl Reader<'_> {
    fn complain<T>(&mut self, name: &str, value: &str) -> Option<T> {
        self.complaints.push(format!("{name} does not count: `{value}` is not understood"));
        None
    }

    /// Of two variables the one that speaks of traces alone.
    fn nearest(&self, name: &str) -> Option<(String, String)> {
        ["OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"].into_iter().find_map(|prefix| {
            let name = format!("{prefix}{name}");
            (self.variable)(&name).map(|value| (name, value))
        })
    }

    fn endpoint(&mut self) -> Option<String> {
        let (name, value) = self.nearest("ENDPOINT")?;
        let is_address = value.starts_with("http://") || value.starts_with("https://");
        if !is_address {
            return self.complain(&name, &value);
        }
        // The one for traces is used as it is.
        let is_whole = name.contains("TRACES");
        Some(if is_whole { value } else { format!("{}/v1/traces", value.trim_end_matches('/')) })
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        let value = (self.variable)(name)?;
        match value.trim().parse() {
            Ok(number) if number > 0 => Some(number),
            _ => self.complain(name, &value),
        }
    }

    fn all(&mut self, config: &mut Config) {
        let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some((name, value)) = self.nearest("PROTOCOL")
            && value != "http/protobuf"
        {
            self.complain::<()>(&name, &value);
        }
        match self.nearest("COMPRESSION") {
            Some((_, value)) if value == "gzip" => config.compress = true,
            Some((name, value)) if value != "none" => {
                self.complain::<()>(&name, &value);
            }
            _ => {}
        }
        if let Some((name, _)) = self.nearest("TIMEOUT")
            && let Some(timeout) = self.number(&name)
        {
            config.timeout = Duration::from_millis(timeout);
        }
        config.certificate = self.nearest("CERTIFICATE").map(|(_, path)| path.into());
        if let Some((name, value)) = self.nearest("HEADERS") {
            match pairs(&value) {
                Some(pairs) => {
                    let secret = |(name, value): (String, String)| (name, Secret::new(value));
                    config.headers = pairs.into_iter().map(secret).collect();
                }
                // What it says may be a secret.
                None => self.complaints.push(format!("{name} does not count: not `name=value,…`")),
            }
        }
        if let Some(delay) = self.number("OTEL_BSP_SCHEDULE_DELAY") {
            config.delay = Duration::from_millis(delay);
        }
        config.max_queue = self.number("OTEL_BSP_MAX_QUEUE_SIZE").map_or(config.max_queue, count);
        let batch = self.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
        config.max_batch = batch.map_or(config.max_batch, count).min(config.max_queue);
        let limit = self
            .number("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT")
            .or_else(|| self.number("OTEL_ATTRIBUTE_COUNT_LIMIT"));
        config.max_attributes = limit.map_or(config.max_attributes, count);
        self.sampler(config);
        self.resource(config);
    }

    fn sampler(&mut self, config: &mut Config) {
        const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
        let Some(name) = (self.variable)("OTEL_TRACES_SAMPLER") else { return };
        let given = (self.variable)(RATIO);
        let ratio = match given.as_deref().map(|value| (value, value.trim().parse::<f64>())) {
            Some((_, Ok(ratio))) if (0.0..=1.0).contains(&ratio) => ratio,
            Some((value, _)) => self.complain(RATIO, value).unwrap_or(1.0),
            None => 1.0,
        };
        match Sampler::parse(name.trim(), ratio) {
            Some(sampler) => config.sampler = sampler,
            None => {
                self.complain::<()>("OTEL_TRACES_SAMPLER", &name);
            }
        }
    }

    fn resource(&mut self, config: &mut Config) {
        const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
        if let Some(value) = (self.variable)(ATTRIBUTES) {
            for (name, value) in pairs(&value).unwrap_or_else(|| {
                self.complain::<()>(ATTRIBUTES, &value);
                Vec::new()
            }) {
                set(&mut config.resource, &name, value);
            }
        }
        if let Some(name) = (self.variable)("OTEL_SERVICE_NAME") {
            set(&mut config.resource, "service.name", name);
        }
    }
}

fn set(resource: &mut Vec<(String, String)>, name: &str, value: String) {
    match resource.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => resource.push((name.to_owned(), value)),
    }
}

/// `name=value,name=value`, as in W3C Baggage: percent-encoded.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let members = text.split(',').map(str::trim).filter(|member| !member.is_empty());
    members
        .map(|member| {
            let (name, value) = member.split_once('=')?;
            let (name, value) = (decoded(name.trim())?, decoded(value.trim())?);
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
        } else {
            byte
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<Config>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Config::from_variables(variable, "app")
    }

    /// LOG-9: nobody exports who was not told to.
    #[test]
    fn export_is_asked_for() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("OTEL_TRACES_EXPORTER", "otlp")], Some("http://localhost:4318/v1/traces")),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1/")], Some("http://a:1/v1/traces")),
            (
                &[
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:1"),
                    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://b/x"),
                ],
                Some("https://b/x"),
            ),
            (
                &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"), ("OTEL_TRACES_EXPORTER", "none")],
                None,
            ),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a"), ("OTEL_SDK_DISABLED", "TRUE")], None),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
        ] {
            let (config, complaints) = read(variables);
            assert_eq!(config.map(|config| config.endpoint).as_deref(), expected, "{variables:?}");
            assert!(complaints.is_empty(), "{complaints:?}");
        }
    }

    /// LOG-9: the standard variables count.
    #[test]
    fn the_standard_variables_count() {
        let (config, complaints) = read(&[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary, x=1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "250"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "10"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "20"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=lost,deployment.environment.name=a%2Cb"),
            ("OTEL_SERVICE_NAME", "named"),
        ]);
        let config = config.unwrap();
        assert!(complaints.is_empty(), "{complaints:?}");
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        assert_eq!(config.headers[0].1.expose(), "Bearer canary");
        assert_eq!(
            (config.timeout, config.delay),
            (Duration::from_millis(250), Duration::from_millis(100))
        );
        assert_eq!((config.max_queue, config.max_batch, config.max_attributes), (10, 10, 3));
        assert!(config.compress);
        assert_eq!(config.certificate, Some("/ca.pem".into()));
        assert_eq!(Some(config.sampler), Sampler::parse("parentbased_traceidratio", 0.25));
        let resource = [("service.name", "named"), ("deployment.environment.name", "a,b")];
        assert_eq!(config.resource, resource.map(|(name, value)| (name.into(), value.into())));
    }

    /// LOG-9: what cannot be understood is told, and does not count.
    #[test]
    fn what_is_not_understood_is_told() {
        let wrong = [
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_RESOURCE_ATTRIBUTES", "x=%zz"),
        ];
        let (config, complaints) = read(&wrong);
        let config = config.unwrap();
        // All but the exporter and the sampler's name.
        assert_eq!(complaints.len(), wrong.len() - 2, "{complaints:?}");
        assert!(!complaints.iter().any(|complaint| complaint.contains("canary")), "{complaints:?}");
        assert_eq!(config.delay, Duration::from_secs(5));
    }
}
