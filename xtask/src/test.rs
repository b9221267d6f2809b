//! `cargo xtask test`: the suites, in the order in which they run: what fails quickly comes first.

mod alone;
mod dist;
mod docs;
mod k8s;
mod otlp;
mod package;
mod policy;
mod secrets;
mod unit;

use std::path::Path;

use crate::job::{Job, refuse};
use crate::tool::{
    BASH, CURL, DOCKER, DOCKER_COMPOSE, DOCKER_REGISTRY, DOCKERD, GIT, GO, IP, LOGROTATE, NATS,
    OPENSSL, POSTGRESQL, PROMTOOL, PYTHON, ROOT, SKOPEO, UMOCI,
};
use crate::{drain, tidy};

/// Those that take longer than one would wait for after every change. They run when they are named, or by
/// `--long`.
pub(crate) const LONG: &[Job] = &[
    Job {
        name: "reproduce",
        shows: "Mira's artefacts are the same when they are built in other surroundings and offline",
        needs: &[GIT],
        run: dist::reproduce,
    },
    Job {
        name: "policy",
        shows: "the manifests keep the rules that platforms usually have",
        needs: &[PYTHON],
        run: policy::run,
    },
];

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
        needs: &[GO, OPENSSL, POSTGRESQL, PYTHON],
        run: secrets::run,
    },
    Job {
        name: "otlp",
        shows: "Jaeger understands the spans that core-log exports",
        needs: &[GO],
        run: otlp::run,
    },
    Job {
        name: "drain",
        shows: "restarts under load behind a real balancer fail no request, and mutants do",
        needs: drain::NEEDS,
        run: drain::suite,
    },
    Job {
        name: "k8s",
        shows: "Mira comes up on a real cluster, rolls under load, fails with a reason, and goes without a trace",
        needs: k8s::NEEDS,
        run: k8s::run,
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
    Job {
        name: "dist",
        shows: "Mira's image loads in every tool with the same digests, and runs without any right",
        needs: &[
            CURL,
            DOCKER,
            DOCKERD,
            DOCKER_COMPOSE,
            GIT,
            IP,
            NATS,
            OPENSSL,
            PYTHON,
            ROOT,
            SKOPEO,
            UMOCI,
        ],
        run: dist::run,
    },
    Job {
        name: "push",
        shows: "Mira's image reaches a real registry, with and without a password, and comes back",
        needs: &[CURL, DOCKER, DOCKERD, DOCKER_REGISTRY, GIT, IP, ROOT, SKOPEO],
        run: dist::push,
    },
];

/// All suites.
pub(crate) fn all() -> Vec<Job> {
    [SUITES, LONG].concat()
}
