use std::collections::BTreeMap;

/// How much may be recorded.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(default))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Config {
    /// The most series of one metric, in label sets, the overflow series among them. Label sets
    /// past it share the overflow series; 0 and 1 leave that one alone. Default 2000, as in
    /// OpenTelemetry: above what sound labels need, below what hurts a Prometheus.
    pub label_budget: usize,
    /// Other budgets for single metrics, by the name that is exposed. Default none.
    pub label_budgets: BTreeMap<String, usize>,
    /// The most names that may be recorded by name or produced on scrape, in metrics; names past
    /// it are refused. Default 1000: a program has some hundred, so a thousand means that
    /// something like an id has become part of a name.
    pub name_budget: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { label_budget: 2000, label_budgets: BTreeMap::new(), name_budget: 1000 }
    }
}

impl Config {
    /// The budget of one metric.
    pub(crate) fn budget_of(&self, metric: &str) -> usize {
        self.label_budgets.get(metric).copied().unwrap_or(self.label_budget)
    }
}
