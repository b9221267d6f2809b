//! The rendered manifests as a judge of others' making sees them.

use anyhow::Context as _;

use crate::context::Context;
use crate::tool::kept::CHECKOV;

/// What we do not follow, and why. Each overlay has the ids that are skipped in it.
///
/// - `CKV_K8S_11`, limits of processor time: they throttle a service that others leave alone; what it
///   asks for decides who gets how much.
/// - `CKV_K8S_15`, to pull always: the images' tags stand for one content, or are loaded on the node.
/// - `CKV_K8S_43`, digests: who deploys sets the one that was tested, with `kustomize edit set image`.
/// - `CKV2_K8S_6`, network policies: a cluster on one's own machine keeps none.
const OVERLAYS: &[(&str, &str)] = &[
    ("local", "CKV_K8S_11,CKV_K8S_15,CKV_K8S_43,CKV2_K8S_6"),
    ("production", "CKV_K8S_11,CKV_K8S_15,CKV_K8S_43"),
];

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let checkov = CHECKOV.get(context)?;
    let mut passed = Vec::new();
    for (overlay, skipped) in OVERLAYS {
        context.step(&format!("policy: {overlay}"));
        let file = format!("deploy/kubernetes/{overlay}.yaml");
        let mut command = std::process::Command::new(&checkov);
        command.args([
            "--framework",
            "kubernetes",
            "--skip-download",
            "--compact",
            "--file",
            &file,
        ]);
        let told = context.run(command.args(["--skip-check", skipped]))?;
        // Of a file without objects there is no summary, and no complaint.
        let summary = told.lines().find(|line| line.starts_with("Passed checks: "));
        let summary = summary.with_context(|| format!("nothing was judged in {file}\n{told}"))?;
        passed.push(format!("{overlay}: {}", summary.to_lowercase()));
    }
    Ok(passed.join("; "))
}
