//! What comes after the link, in less than a second: from one binary to all artefacts. What does not
//! wait for each other is done side by side.

use std::path::Path;

use anyhow::ensure;
use serde_json::{Value, json};

use super::blob::sha256;
use super::build::Build;
use super::hardening::{self, Hardening};
use super::image::{Image, Recipe};
use super::output::Output;
use super::provenance;
use super::sbom::Materials;
use super::source::Source;
use super::text;
use crate::context::Context;

/// All that is known once the binary is built.
pub(crate) struct Parts<'a> {
    pub(crate) build: &'a Build<'a>,
    pub(crate) version: &'a str,
    pub(crate) source: &'a Source,
    pub(crate) materials: &'a Materials,
    /// A digest of all that the artefacts follow from.
    pub(crate) inputs: &'a str,
}

/// Makes the artefacts of a binary in the folder for work, and returns what the manifest says of them.
pub(crate) fn pack(
    context: &Context,
    parts: &Parts<'_>,
    built: &Path,
    output: &Output,
) -> anyhow::Result<Value> {
    let Parts { build, version, source, inputs, .. } = *parts;
    let root = context.workspace.root();
    let name = format!("{}-{version}-{}", build.binary, build.target.triple);
    let symbols = format!("{name}.debug");
    build.symbols(context, built, &output.work(&symbols))?;
    let (now, symbols, image) = std::thread::scope(|scope| {
        let now = scope.spawn(|| Source::read(root));
        let symbols_at = output.work(&symbols);
        let symbols = scope.spawn(|| output.artifact(&symbols, "debug-symbols"));
        let image = image(context, parts, built, &symbols_at, output, &name);
        let symbols = symbols.join().expect("reading a file does not panic");
        (now.join().expect("asking git does not panic"), symbols, image)
    });
    ensure!(now? == *source, "files were changed while they were built; run it again");
    let (image, build_id) = image?;

    let mut artifacts = vec![
        output.artifact(&name, "binary")?,
        symbols?,
        output.artifact(&format!("{name}.oci.tar"), "image")?,
        output.artifact(&format!("{name}.cdx.json"), "sbom")?,
    ];
    let subject = |artifact: &Value| (text(&artifact["path"]), text(&artifact["sha256"]));
    let mut subjects: Vec<_> = artifacts.iter().map(subject).collect();
    subjects.push((image.reference(), image.manifest.hex.clone()));
    let lock = sha256(&std::fs::read(root.join("Cargo.lock"))?);
    let statement = provenance::statement(build, source, &lock, &subjects);
    let provenance = format!("{name}.provenance.json");
    std::fs::write(output.work(&provenance), format!("{statement:#}\n"))?;
    artifacts.push(output.artifact(&provenance, "provenance")?);

    let layer = |layer: &super::layer::Layer| {
        json!({
            "digest": layer.compressed.digest(),
            "size": layer.compressed.bytes.len(),
            "diff_id": layer.diff_id,
        })
    };
    Ok(json!({
        "name": build.binary,
        "version": version,
        "target": build.target.triple,
        "inputs": inputs,
        "build_id": build_id,
        "source": {
            "commit": source.commit,
            "time": source.time,
            "dirty": source.changes.is_some(),
            "tags": source.tags,
        },
        "image": {
            "reference": image.reference(),
            "manifest": image.manifest.digest(),
            "config": image.config.digest(),
            "layers": image.layers.iter().map(layer).collect::<Vec<_>>(),
        },
        "artifacts": artifacts,
    }))
}

/// The binary without its symbols, its bill of materials, and the image of both; and the binary's id.
fn image(
    context: &Context,
    parts: &Parts<'_>,
    built: &Path,
    symbols: &Path,
    output: &Output,
    name: &str,
) -> anyhow::Result<(Image, String)> {
    let Parts { build, version, source, materials, .. } = *parts;
    let binary = output.work(name);
    build.strip(context, built, symbols, &binary)?;
    let sbom = materials.sbom(source.time)?;
    std::fs::write(output.work(&format!("{name}.cdx.json")), &sbom)?;
    let bytes = std::fs::read(binary)?;
    let hardening = hardening::of(&bytes)?;
    ensure!(hardening == Hardening::WANTED, "the binary is not hardened: {hardening:?}");
    let package = materials.package();
    let (revision, architecture) = (source.revision(), build.target.architecture);
    let recipe = Recipe {
        description: package.description.clone().unwrap_or_default(),
        licenses: package.license.clone().unwrap_or_default(),
        sbom: Some(sbom),
        is_service: materials.is_service(),
        ..Recipe::service(build.binary, version, architecture, &revision, source.time)
    };
    let image = Image::new(&recipe, &bytes)?;
    image.write(&output.work(&format!("{name}.oci.tar")))?;
    Ok((image, hardening::build_id(&bytes)?))
}
