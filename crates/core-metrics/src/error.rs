/// Why something was not registered, or not recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name breaks a rule of Prometheus, or of `promtool check metrics`.
    #[error("metric name `{name}` is not allowed: {rule}")]
    Name {
        /// The name as it was given.
        name: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// The name of a label breaks a rule.
    #[error("label name `{label}` of metric `{metric}` is not allowed: {rule}")]
    Label {
        /// The metric's name.
        metric: String,
        /// The label's name.
        label: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// The help text is empty.
    #[error("metric `{name}` needs a help text that is not blank")]
    Help {
        /// The metric's name.
        name: String,
    },
    /// The buckets of a histogram make no sense.
    #[error("the buckets of histogram `{name}` are not allowed: {rule}")]
    Buckets {
        /// The metric's name.
        name: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// Another metric stands in the way.
    #[error("metric `{name}` clashes with `{existing}`: {why}")]
    Clash {
        /// The name as it was given.
        name: String,
        /// What was there before.
        existing: String,
        /// In what they differ.
        why: &'static str,
    },
    /// More names were recorded by name or produced on scrape than [`Config`](crate::Config)
    /// allows.
    #[error("metric `{name}` is one more than the {budget} that may be made by name")]
    TooManyNames {
        /// The name as it was given.
        name: String,
        /// How many are allowed.
        budget: usize,
    },
    /// More series were produced on scrape than the label budget allows.
    #[error("metric `{name}` was produced with more than {budget} label sets")]
    TooManySeries {
        /// The metric's name.
        name: String,
        /// How many are allowed.
        budget: usize,
    },
    /// One series was produced twice in a scrape.
    #[error("metric `{name}` was produced twice with the same labels")]
    Duplicate {
        /// The metric's name.
        name: String,
    },
    /// A producer panicked; what it had produced until then is exposed.
    #[error("the producer `{producer}` panicked")]
    Panicked {
        /// The producer's name.
        producer: String,
    },
    /// A default stands already.
    #[error("default metrics are installed already")]
    DefaultInstalled,
    /// The registry refused the metric.
    #[error("metric `{name}` cannot be registered")]
    Registry {
        /// The metric's name.
        name: String,
        /// What the registry says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Every value of the label `reason` of `metrics_refused_total`.
pub(crate) const REASONS: [&str; 4] = ["budget", "clash", "invalid", "panic"];

impl Error {
    /// The error as a value of the label `reason`.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::TooManyNames { .. } | Self::TooManySeries { .. } => "budget",
            Self::Clash { .. }
            | Self::Duplicate { .. }
            | Self::DefaultInstalled
            | Self::Registry { .. } => "clash",
            Self::Name { .. } | Self::Label { .. } | Self::Help { .. } | Self::Buckets { .. } => {
                "invalid"
            }
            Self::Panicked { .. } => "panic",
        }
    }
}
