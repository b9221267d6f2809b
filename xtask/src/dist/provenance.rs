//! How the artefacts were made, as a SLSA 1.0 provenance statement. It is not signed: a key is its
//! owner's business.

use serde_json::{Value, json};

use super::build::{self, Build, PROFILE};
use super::source::Source;

/// What is said of: name, and SHA-256 as hexadecimal digits.
pub(crate) type Subject = (String, String);

/// The statement.
pub(crate) fn statement(
    build: &Build<'_>,
    source: &Source,
    lock: &str,
    subjects: &[Subject],
) -> Value {
    let subject = |(name, hex): &Subject| json!({"name": name, "digest": {"sha256": hex}});
    let toolchain = build.toolchain;
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects.iter().map(subject).collect::<Vec<_>>(),
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:mira:cargo-xtask-dist:v1",
                "externalParameters": {
                    "package": build.package,
                    "binary": build.binary,
                    "target": build.target.triple,
                },
                "internalParameters": {
                    "profile": PROFILE,
                    "rustflags": build::flags(),
                    "SOURCE_DATE_EPOCH": build::EPOCH,
                    "created": source.time,
                    "changes": source.changes.as_ref().map(|hex| json!({"sha256": hex})),
                },
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": source.commit}},
                    {"name": "Cargo.lock", "digest": {"sha256": lock}},
                    {"name": "rustc", "annotations": {"version": toolchain.rustc.lines().next(), "host": toolchain.rustc_entry("host"), "llvm": toolchain.rustc_entry("LLVM version")}, "digest": {"gitCommit": toolchain.rustc_entry("commit-hash")}},
                    {"name": "cc", "annotations": {"version": toolchain.compiler}},
                    {"name": "objcopy", "annotations": {"version": toolchain.objcopy}},
                    {"name": "libc.a", "digest": {"sha256": toolchain.libc}},
                ],
            },
            "runDetails": {
                "builder": {"id": "urn:mira:cargo-xtask-dist"},
            },
        },
    })
}
