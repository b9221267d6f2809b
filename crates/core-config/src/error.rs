use crate::Problem;

/// Why configuration could not be loaded or watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The sources hold mistakes; all of them are here.
    #[error("configuration refused, {}:{}", count(problems.len()), list(problems))]
    Refused {
        /// Every mistake.
        problems: Vec<Problem>,
    },
    /// The files cannot be watched, neither by notification nor by polling.
    #[error("cannot watch the configuration files")]
    Watch {
        /// What the operating system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Refuses for these mistakes, told in the order in which a person would mend them.
    pub(crate) fn refused(mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| {
            (a.origin.is_none(), &a.origin, &a.key).cmp(&(b.origin.is_none(), &b.origin, &b.key))
        });
        Self::Refused { problems }
    }

    /// The mistakes, if there are any.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Refused { problems } => problems,
            Self::Watch { .. } => &[],
        }
    }
}

fn count(problems: usize) -> String {
    if problems == 1 { "1 problem".into() } else { format!("{problems} problems") }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}
