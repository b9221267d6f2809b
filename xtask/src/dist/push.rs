//! An image on its way to a registry: what is there already stays, what comes back has our digest, and
//! the papers are attached to it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tar::Archive;

use super::blob::{Blob, sha256};
use super::image::{INDEX, MANIFEST, descriptor};
use super::registry::Registry;
use super::source;

/// The configuration of what is no image.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Where an image goes: `REGISTRY/NAME`, with a tag if one is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    pub(crate) registry: String,
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
}

impl std::str::FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (registry, rest) = text.split_once('/').unwrap_or((text, ""));
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag.to_owned())),
            None => (rest, None),
        };
        let is_host = registry.contains(['.', ':']) || registry == "localhost";
        if !is_host || name.is_empty() || name.contains('@') || tag.as_deref() == Some("") {
            return Err("expected REGISTRY/NAME or REGISTRY/NAME:TAG, with a host such as \
                        registry.example.com or localhost:5000"
                .into());
        }
        Ok(Self { registry: registry.to_owned(), name: name.to_owned(), tag })
    }
}

/// What was done.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// `registry.example.com/mira@sha256:…`: what a deployment should name.
    pub(crate) reference: String,
    pub(crate) sent: usize,
    pub(crate) skipped: usize,
}

/// A paper that is attached to the image: its bytes and media type, and the file's name.
pub(crate) struct Paper {
    pub(crate) blob: Blob,
    pub(crate) media_type: &'static str,
    pub(crate) name: String,
}

/// Pushes the image that a tar holds, and its papers.
///
/// # Errors
/// Among others if the tag is a release's, and the tree that was built had changes.
pub(crate) fn push(
    destination: &Destination,
    tar: &Path,
    papers: &[Paper],
    is_dirty: bool,
) -> anyhow::Result<Pushed> {
    let blobs = read(tar)?;
    let index: Value = serde_json::from_slice(blobs.get("index.json").context("no index.json")?)?;
    let entry = &index["manifests"][0];
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap_or_default();
        let path = format!("blobs/{}", digest.replace(':', "/"));
        let bytes =
            blobs.get(&path).with_context(|| format!("{} has no {digest}", tar.display()))?;
        Ok::<_, anyhow::Error>(Blob::new(bytes.clone()))
    };
    let manifest = blob(entry)?;
    let content: Value = serde_json::from_slice(&manifest.bytes)?;
    let own = entry["annotations"]["org.opencontainers.image.ref.name"].as_str();
    let tag = destination.tag.as_deref().or(own).context("the image has no tag")?;
    ensure!(
        !is_dirty || !(source::is_release(tag) || tag == "latest"),
        "the tree had changes when this was built; {tag} is for what everybody can build again"
    );

    let registry = Registry::new(&destination.registry, &destination.name)?;
    let (mut sent, mut skipped) = (0, 0);
    let layers = content["layers"].as_array().into_iter().flatten();
    for descriptor in layers.chain([&content["config"]]) {
        let was_sent = registry.put_blob(&blob(descriptor)?)?;
        *(if was_sent { &mut sent } else { &mut skipped }) += 1;
    }
    registry.put_manifest(tag, MANIFEST, &manifest)?;
    let there = registry.manifest(tag)?.context("the registry has lost the manifest")?;
    ensure!(sha256(&there) == manifest.hex, "the registry made {} of the manifest", sha256(&there));
    for paper in papers {
        attach(&registry, &manifest, paper)?;
    }
    let (host, name) = (&destination.registry, &destination.name);
    let reference = format!("{host}/{name}@{}", manifest.digest());
    Ok(Pushed { reference, sent, skipped })
}

/// Attaches a paper, as a manifest whose subject is the image's. Where the registry does not keep lists
/// of such itself, the list is kept under the tag that the specification tells.
fn attach(registry: &Registry, image: &Blob, paper: &Paper) -> anyhow::Result<()> {
    let empty = Blob::new(b"{}".to_vec());
    registry.put_blob(&empty)?;
    registry.put_blob(&paper.blob)?;
    let mut layer = descriptor(paper.media_type, &paper.blob);
    layer["annotations"] = json!({"org.opencontainers.image.title": paper.name});
    let manifest = Blob::json(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": paper.media_type,
        "config": descriptor(EMPTY, &empty),
        "layers": [layer],
        "subject": descriptor(MANIFEST, image),
    }));
    let knows_subjects = registry.put_manifest(&manifest.digest(), MANIFEST, &manifest)?;
    if knows_subjects {
        return Ok(());
    }
    let tag = image.digest().replace(':', "-");
    let list = registry.manifest(&tag)?;
    let list: Option<Value> = list.map(|list| serde_json::from_slice(&list)).transpose()?;
    let mut list = list.unwrap_or_else(|| json!({"manifests": []}));
    let mut entry = descriptor(MANIFEST, &manifest);
    entry["artifactType"] = json!(paper.media_type);
    let manifests = list["manifests"].as_array_mut().context("the list of papers is none")?;
    if manifests.iter().all(|known| known["digest"] != entry["digest"]) {
        manifests.push(entry);
    }
    manifests.sort_by_key(|known| known["digest"].to_string());
    let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    registry.put_manifest(&tag, INDEX, &Blob::json(&list))?;
    Ok(())
}

/// The files of a tar.
fn read(tar: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let file = File::open(tar).with_context(|| format!("cannot read {}", tar.display()))?;
    let mut files = BTreeMap::new();
    for entry in Archive::new(file).entries()? {
        let mut entry = entry?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        files.insert(entry.path()?.display().to_string(), bytes);
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIST-5: a destination names its registry.
    #[test]
    fn a_destination_has_a_registry_and_a_name() {
        let parse =
            |text: &str| text.parse::<Destination>().map(|it| (it.registry, it.name, it.tag));
        let tagged = ("localhost:5000".into(), "team/mira".into(), Some("1.2.3".into()));
        assert_eq!(parse("localhost:5000/team/mira:1.2.3"), Ok(tagged));
        assert_eq!(parse("ghcr.io/mira"), Ok(("ghcr.io".into(), "mira".into(), None)));
        for wrong in ["mira", "team/mira", "ghcr.io", "ghcr.io/", "ghcr.io/mira:"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
