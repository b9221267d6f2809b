//! How it can fail, and what to do then.

use std::fmt;

/// A kind of failure, by the code that the command exits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    NoCluster = 10,
    Context = 11,
    Foreign = 12,
    Build = 13,
    Load = 14,
    Admission = 15,
    Image = 16,
    Missing = 17,
    Configuration = 18,
    CrashLoop = 19,
    Unschedulable = 20,
    Probe = 21,
    Gone = 22,
    Late = 23,
    Smoke = 24,
    Left = 25,
}

impl Kind {
    /// What helps, most of the time.
    fn remedy(self) -> &'static str {
        match self {
            Self::NoCluster => {
                "start a cluster (`kind create cluster`), name one by --context, or as root on Linux let \
                 one be made by --provider node"
            }
            Self::Context => "if this cluster is really meant, name it: --context NAME",
            Self::Foreign => "rename or remove that namespace; what others have made is left alone",
            Self::Build => {
                "mend what is said above; `cargo xtask doctor` tells which tools are missing"
            }
            Self::Load => {
                "load the archive by hand with the command above, and look at what it says"
            }
            Self::Admission => "change the manifest, or what the cluster admits",
            Self::Image => {
                "check the image's name and tag, and whether the node has it or may pull it"
            }
            Self::Missing => "make the Secret or ConfigMap; the pods go on by themselves",
            Self::Configuration => {
                "mend the ConfigMap; `mira --check-config` gives the same verdict"
            }
            Self::CrashLoop => {
                "read the last lines above; `kubectl logs --previous` has all of them"
            }
            Self::Unschedulable => "ask for less, or give the cluster more room",
            Self::Probe => {
                "ask the probe's path from inside; `?verbose` names the check that fails"
            }
            Self::Gone => "see whether the cluster still runs; then run the command again",
            Self::Late => "run it again with --verbose; `kubectl describe pods` tells more",
            Self::Smoke => "the pods are left running to be looked at; k8s-down removes them",
            Self::Left => "run it again; what is named is still there",
        }
    }
}

/// What has gone wrong, with all that tells why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) cause: String,
    pub(crate) events: Vec<String>,
    /// Of the log of the container in question.
    pub(crate) lines: Vec<String>,
}

impl Failure {
    pub(crate) fn new(kind: Kind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), events: Vec::new(), lines: Vec::new() }
    }

    pub(crate) fn because(kind: Kind) -> impl FnOnce(anyhow::Error) -> anyhow::Error {
        move |error| Self::new(kind, format!("{error:#}")).into()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.cause)?;
        for (title, lines) in [("events", &self.events), ("last lines", &self.lines)] {
            if !lines.is_empty() {
                writeln!(f, "\n{title}:")?;
            }
            for line in lines {
                writeln!(f, "  {line}")?;
            }
        }
        write!(f, "\nremedy: {} (exit code {})", self.kind.remedy(), self.kind as u8)
    }
}

impl std::error::Error for Failure {}
