/// What was decided, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a decision is to be followed"]
pub struct Decision {
    is_on: bool,
    reason: Reason,
}

impl Decision {
    pub(super) fn on(reason: Reason) -> Self {
        Self { is_on: true, reason }
    }

    pub(super) fn off(reason: Reason) -> Self {
        Self { is_on: false, reason }
    }

    /// Whether the feature is on.
    pub fn is_on(self) -> bool {
        self.is_on
    }

    /// Why.
    pub fn reason(self) -> Reason {
        self.reason
    }
}

/// Why a flag is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// It is on for everybody.
    Static,
    /// It is off for everybody.
    Disabled,
    /// The subject is named.
    Allowed,
    /// The subject is, or is not, in the share.
    Share,
    /// Its time has not come.
    NotYet,
    /// Its time is over.
    Over,
    /// There is no such flag.
    Unknown,
}

impl Reason {
    /// The reason in one lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Disabled => "disabled",
            Self::Allowed => "allowed",
            Self::Share => "share",
            Self::NotYet => "not_yet",
            Self::Over => "over",
            Self::Unknown => "unknown",
        }
    }
}
