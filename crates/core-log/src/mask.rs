use core_types::is_credential;

/// Which fields are masked, and how long a value may be.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    redact: Vec<String>,
    pub(crate) max_value: usize,
}

impl Rules {
    pub(crate) fn new(redact: &[String], max_value: usize) -> Self {
        Self { redact: redact.to_vec(), max_value }
    }

    /// Whether the value of a field must not be seen.
    pub(crate) fn masks(&self, name: &str) -> bool {
        is_credential(name) || self.redact.iter().any(|redact| name.eq_ignore_ascii_case(redact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// LOG-7: fields named like credentials are masked; the list can be added to.
    #[test]
    fn the_list_can_be_added_to() {
        let rules = Rules::new(&["Ssn".into()], 100);
        assert!(rules.masks("password") && rules.masks("ssn") && !rules.masks("user"));
    }
}
