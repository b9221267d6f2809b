//! `cargo xtask dist`: what operators get of a binary. A static binary, its symbols, an image, a bill of
//! materials, a provenance statement, checksums, and a manifest for programs; without a daemon, and the
//! same bytes wherever the commit is built.

mod base;
pub(crate) mod blob;
mod build;
mod credentials;
pub(crate) mod hardening;
pub(crate) mod image;
mod interrupt;
mod layer;
pub(crate) mod output;
mod pack;
mod provenance;
mod push;
mod registry;
mod sbom;
mod source;
mod target;
mod verify;

pub(crate) use self::verify::verify;

use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::builder::PossibleValuesParser;
use serde_json::Value;

use self::blob::{Blob, sha256};
use self::build::Build;
use self::output::Output;
use self::pack::Parts;
use self::push::{Destination, Paper, Pushed};
use self::sbom::Materials;
use self::source::Source;
use self::target::{HOST, TARGETS, Target, Toolchain};
use crate::context::Context;
use crate::screen::{Finished, Outcome};

#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    /// The package whose binary it is.
    #[arg(long, short, default_value = "mira")]
    package: String,
    /// What it is built for.
    #[arg(long, value_name = "TRIPLE", default_value = HOST, value_parser = triples())]
    target: String,
    /// Push the image to a registry, with its papers; the tag is the content's if none is named.
    #[arg(long, value_name = "REGISTRY/NAME[:TAG]", value_parser = Destination::from_str)]
    push: Option<Destination>,
    /// Build it twice, the second time in other surroundings and offline, and compare.
    #[arg(long)]
    verify: bool,
    /// Show the output of the programs that are run.
    #[arg(long, short)]
    verbose: bool,
}

impl Options {
    /// What is asked for when nothing but the package is named.
    pub(crate) fn of(package: &str) -> Self {
        let package = package.to_owned();
        Self { package, target: HOST.to_owned(), push: None, verify: false, verbose: false }
    }
}

fn triples() -> PossibleValuesParser {
    PossibleValuesParser::new(TARGETS.iter().map(|target| target.triple).collect::<Vec<_>>())
}

/// Runs the command.
pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let began = Instant::now();
    let context = Context::new(options.verbose)?;
    context.screen.start("dist");
    let made = make(&context, options).and_then(|made| {
        if options.verify {
            verify(&context, options, &made.build)?;
        }
        Ok(made)
    });
    let outcome = match &made {
        Ok(_) if options.verify => Outcome::Passed("built twice, every digest is the same".into()),
        Ok(Made { fresh: true, .. }) => Outcome::Passed("up to date".into()),
        Ok(made) => Outcome::Passed(format!("image in {:.2} s", made.image_seconds)),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    };
    context.screen.finish(&Finished { name: "dist", outcome, took: began.elapsed() });
    let Ok(made) = made else { return Ok(false) };
    let pushed = options.push.as_ref().map(|destination| {
        context.step("dist: pushing");
        push(&context, destination, &made.build)
    });
    let pushed = pushed.transpose()?;
    for artifact in output::artifacts(&made.build) {
        let size = artifact["size"].as_f64().unwrap_or_default() / 1e6;
        context.screen.note(&format!("{size:6.1} MB  dist/{}", text(&artifact["path"])));
    }
    context.screen.note(&format!("image      {}", text(&made.build["image"]["reference"])));
    if made.build["source"]["dirty"] == true {
        context.screen.note("dirty      the tree has changes that are not committed");
    }
    if let Some(pushed) = pushed {
        let Pushed { reference, sent, skipped } = pushed;
        context.screen.note(&format!("pushed     {reference}"));
        context.screen.note(&format!("           {sent} blobs sent, {skipped} were there"));
    }
    Ok(true)
}

/// Pushes what was made.
fn push(context: &Context, destination: &Destination, build: &Value) -> anyhow::Result<Pushed> {
    let path = |kind: &str| {
        let mut found = output::artifacts(build).filter(|artifact| artifact["kind"] == kind);
        let name = text(&found.next().with_context(|| format!("there is no {kind}"))?["path"]);
        Ok::<_, anyhow::Error>((folder(context).join(&name), name))
    };
    let mut papers = Vec::new();
    for (kind, media_type) in
        [("sbom", "application/vnd.cyclonedx+json"), ("provenance", "application/vnd.in-toto+json")]
    {
        let (file, name) = path(kind)?;
        papers.push(Paper { blob: Blob::new(std::fs::read(file)?), media_type, name });
    }
    push::push(destination, &path("image")?.0, &papers, build["source"]["dirty"] == true)
}

/// An image of a package's binary, for this machine.
pub(crate) struct Packed {
    /// `localhost/mira:0.1.0-1f2e3d4c5b6a`
    pub(crate) reference: String,
    /// The digest of its configuration.
    pub(crate) id: String,
    pub(crate) archive: PathBuf,
}

/// Makes the image of a package's binary, unless it is there.
pub(crate) fn pack(context: &Context, package: &str) -> anyhow::Result<Packed> {
    let options = Options {
        package: package.into(),
        target: HOST.into(),
        push: None,
        verify: false,
        verbose: context.verbose,
    };
    let build = make(context, &options)?.build;
    let archive = output::artifacts(&build).find(|artifact| artifact["kind"] == "image");
    let archive = archive.context("a build has an image")?;
    Ok(Packed {
        reference: text(&build["image"]["reference"]),
        id: text(&build["image"]["config"]),
        archive: context.workspace.root().join("dist").join(text(&archive["path"])),
    })
}

/// What there is when all is done.
pub(crate) struct Made {
    /// As in the manifest.
    pub(crate) build: Value,
    /// Whether it was there already.
    fresh: bool,
    /// How long all took that comes after the link.
    image_seconds: f64,
}

/// Where the artefacts are.
pub(crate) fn folder(context: &Context) -> PathBuf {
    context.workspace.root().join("dist")
}

/// Makes the artefacts, unless they are there.
pub(crate) fn make(context: &Context, options: &Options) -> anyhow::Result<Made> {
    let target = Target::find(&options.target).expect("clap knows the targets");
    let root = context.workspace.root();
    let (source, toolchain) = std::thread::scope(|scope| {
        let source = scope.spawn(|| Source::read(root));
        (source.join().expect("asking git does not panic"), target.toolchain())
    });
    let (source, toolchain) = (source?, toolchain?);
    let (binary, version) = binary(context, &options.package)?;
    source.refuse_false_release(&binary, &version)?;

    let folder = folder(context);
    let inputs = inputs(options, &source, &toolchain);
    if let Some(build) = output::up_to_date(&folder, (&binary, target.triple), &inputs) {
        return Ok(Made { build, fresh: true, image_seconds: 0.0 });
    }
    let output = Output::new(&folder)?;
    context.step("dist: what is needed");
    let materials = Materials::read(&context.workspace, &options.package, target.triple)?;
    let target_folder = context.workspace.target();
    let paths = build::paths(root, target_folder, materials.registries(), &toolchain);
    let build = Build {
        package: &options.package,
        binary: &binary,
        target,
        toolchain: &toolchain,
        paths: &paths,
        crates: materials.count(),
    };
    let built = build.run(context)?;

    let began = Instant::now();
    context.step("dist: image");
    let parts = Parts {
        build: &build,
        version: &version,
        source: &source,
        materials: &materials,
        inputs: &inputs,
    };
    let build = pack::pack(context, &parts, &built, &output)?;
    output.commit(build.clone())?;
    Ok(Made { build, fresh: false, image_seconds: began.elapsed().as_secs_f64() })
}

/// The one binary of a package, and its version.
fn binary(context: &Context, package: &str) -> anyhow::Result<(String, String)> {
    let members = context.workspace.members();
    let member = members.iter().find(|member| *member.name == *package);
    let member = member.with_context(|| format!("no package is called {package}"))?;
    let mut binaries = member.targets.iter().filter(|target| target.is_bin());
    let binary = binaries.next().with_context(|| format!("{package} has no binary"))?;
    ensure!(binaries.next().is_none(), "{package} has more than one binary");
    Ok((binary.name.clone(), member.version.to_string()))
}

/// A digest of all that the artefacts follow from.
fn inputs(options: &Options, source: &Source, toolchain: &Toolchain) -> String {
    sha256(format!("{} {} {source:?} {toolchain:?}", options.package, options.target).as_bytes())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
