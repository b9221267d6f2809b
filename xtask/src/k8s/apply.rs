//! What is applied, and what is ours of what is there.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::Value;

use super::NAMESPACE;
use super::failure::{Failure, Kind};
use super::image::Image;
use super::kubectl::Kubectl;
use super::manifest::{kind, list, name, text};
use super::replace::replace;

/// All that is applied carries it, and nothing else is ever removed.
pub(crate) const LABEL: &str = "app.kubernetes.io/managed-by=cargo-xtask-k8s-up";

/// Writes the folder that kustomize makes the manifests of: an overlay, with the label and with the
/// images that were made.
pub(crate) fn prepare(
    folder: &Path,
    overlay: &Path,
    images: &[(&str, Image)],
) -> anyhow::Result<()> {
    let overlay = fs::canonicalize(overlay)
        .with_context(|| format!("there is no overlay {}", overlay.display()))?;
    fs::create_dir_all(folder)?;
    let path = relative(&fs::canonicalize(folder)?, &overlay);
    let (key, value) = LABEL.split_once('=').expect("a label has a value");
    let mut text = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [{}]\n\
         labels: [{{pairs: {{{key}: {value}}}}}]\nimages:\n",
        path.display()
    );
    for (original, image) in images {
        let (name, tag) = image.name.rsplit_once(':').context("an image has a tag")?;
        text.push_str(&format!("- {{name: {original}, newName: {name}, newTag: \"{tag}\"}}\n"));
    }
    let write = |file: &mut fs::File| Ok(file.write_all(text.as_bytes())?);
    replace(&folder.join("kustomization.yaml"), write).context("cannot write the kustomization")
}

/// The way from one folder to another; kustomize wants no absolute paths.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let same = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(same).map(|_| "..");
    up.map(PathBuf::from).chain([to.components().skip(same).collect()]).collect()
}

/// Applies manifests, and takes away what was applied before and is no longer among them.
pub(crate) fn apply(kubectl: &Kubectl, manifests: &str) -> anyhow::Result<String> {
    let namespace = kubectl.get(&["namespace", NAMESPACE, "--ignore-not-found"]);
    let namespace = namespace.map_err(Failure::because(Kind::Gone))?;
    if !namespace.is_null() && !is_ours(&namespace) {
        let cause = format!("there is a namespace {NAMESPACE} that this command has not made");
        return Err(Failure::new(Kind::Foreign, cause).into());
    }
    let arguments = ["apply", "--server-side", "--force-conflicts", "--filename", "-"];
    let applied = kubectl.feed(&arguments, manifests).map_err(|error| {
        let text = format!("{error:#}");
        let is_gone =
            ["connection refused", "Unable to connect", "EOF"].iter().any(|it| text.contains(it));
        Failure::new(if is_gone { Kind::Gone } else { Kind::Admission }, text)
    })?;
    let wanted: Vec<_> = super::manifest::read(manifests)?.iter().map(shown).collect();
    let mut removed = 0;
    for object in ours(kubectl)?.iter().filter(|object| !wanted.contains(&shown(object))) {
        delete(kubectl, object)?;
        removed += 1;
    }
    let changed = applied.lines().filter(|line| !line.is_empty()).count();
    Ok(if removed == 0 {
        format!("{changed} objects")
    } else {
        format!("{changed} objects, {removed} removed")
    })
}

pub(crate) fn shown(object: &Value) -> String {
    format!("{} {}", kind(object), name(object))
}

pub(crate) fn is_ours(object: &Value) -> bool {
    let (key, value) = LABEL.split_once('=').expect("a label has a value");
    text(object, &format!("/metadata/labels/{}", key.replace('/', "~1"))) == value
}

/// Everything in the cluster that carries the label and was not made by something that does.
pub(crate) fn ours(kubectl: &Kubectl) -> anyhow::Result<Vec<Value>> {
    let kinds = kinds(kubectl)?;
    let all = kubectl.get(&[&kinds, "--all-namespaces", "--selector", LABEL])?;
    let is_made = |object: &&Value| object.pointer("/metadata/ownerReferences").is_some();
    Ok(list(&all, "/items")
        .iter()
        .filter(|object| !is_made(object) && kind(object) != "Endpoints")
        .cloned()
        .collect())
}

/// All kinds of objects that can be listed and deleted.
pub(crate) fn kinds(kubectl: &Kubectl) -> anyhow::Result<String> {
    let kinds = kubectl.run(&["api-resources", "--verbs", "list,delete", "--output", "name"])?;
    Ok(kinds.lines().filter(|kind| !kind.starts_with("events")).collect::<Vec<_>>().join(","))
}

/// Deletes one object and waits until it is gone, and its pods with it.
pub(crate) fn delete(kubectl: &Kubectl, object: &Value) -> anyhow::Result<()> {
    let group = text(object, "/apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
    let what = format!("{}.{group}/{}", kind(object).to_lowercase(), name(object));
    let what = what.replacen("./", "/", 1);
    let namespace = text(object, "/metadata/namespace");
    let arguments =
        ["delete", &what, "--ignore-not-found", "--cascade=foreground", "--timeout", "60s"];
    let place = ["--namespace", namespace];
    let place: &[&str] = if namespace.is_empty() { &[] } else { &place };
    kubectl.run(&[&arguments, place].concat()).map(drop)
}
