use crate::Metrics;

impl Metrics {
    /// Exposes the gauge `build_info`, always 1, with the labels `name` and `version`.
    pub fn build_info(&self, name: &str, version: &str) {
        self.build_info_with(name, version, &[]);
    }

    /// Exposes [`build_info`](Self::build_info) with more labels, such as `revision`.
    ///
    /// The last call counts. A label whose name is not allowed keeps it from being exposed, and is
    /// reported as [`Event::Refused`](crate::Event::Refused).
    pub fn build_info_with(&self, name: &str, version: &str, more: &[(&str, &str)]) {
        let own = |(label, value): (&str, &str)| (label.to_owned(), value.to_owned());
        let fixed = [("name", name), ("version", version)].into_iter();
        let labels: Vec<_> = fixed.chain(more.iter().copied()).map(own).collect();
        self.collect_with("build_info", move |samples| {
            let labels: Vec<_> = labels.iter().map(|(label, value)| (&**label, &**value)).collect();
            samples.gauge("build_info", "What is running. Always 1.", &labels, 1.0);
        });
    }
}
