//! `cargo xtask test`: the suites, in the order in which they run: what fails quickly comes first.

mod alone;
mod docs;
mod package;
mod secrets;
mod unit;

use std::path::Path;

use crate::job::{Job, refuse};
use crate::tool::{BASH, CURL, GO, LOGROTATE, NATS, OPENSSL, PROMTOOL};
use crate::{drain, tidy};

pub(crate) const SUITES: &[Job] = &[
    Job {
        name: "tidy",
        shows: "the tree keeps the rules that no compiler checks",
        needs: &[],
        run: |_| refuse(&tidy::complaints(Path::new("."))?).map(|()| String::new()),
    },
    Job {
        name: "unit",
        shows: "the tests of all members pass, and the examples in their documentation",
        needs: &[],
        run: unit::run,
    },
    Job {
        name: "promtool",
        shows: "Prometheus' own judge accepts what core-metrics exposes",
        needs: &[PROMTOOL],
        run: |context| unit::named(context, "promtool"),
    },
    Job {
        name: "logrotate",
        shows: "core-log loses no line to Debian's rotator, in both of its modes",
        needs: &[LOGROTATE],
        run: |context| unit::named(context, "logrotate"),
    },
    Job {
        name: "nats",
        shows: "Mira works on a real NATS server that is killed and started again",
        needs: &[NATS],
        run: |context| unit::named(context, "nats"),
    },
    Job {
        name: "secrets",
        shows: "secrets are read, watched and renewed on real servers, through their restarts",
        needs: &[GO, OPENSSL],
        run: secrets::run,
    },
    Job {
        name: "drain",
        shows: "restarts under load behind a real balancer fail no request, and mutants do",
        needs: drain::NEEDS,
        run: drain::suite,
    },
    Job {
        name: "docs",
        shows: "every code block of the pages compiles, parses, or runs and prints what it says",
        needs: &[BASH, CURL, OPENSSL, PROMTOOL],
        run: docs::run,
    },
    Job {
        name: "alone",
        shows: "each crate works for a stranger who takes it alone, and brings only what it needs",
        needs: &[],
        run: alone::run,
    },
    Job {
        name: "package",
        shows: "each crate can be packaged, and the package builds by itself",
        needs: &[],
        run: package::run,
    },
];
