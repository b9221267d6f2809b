//! The image of a binary that is built already: one tar that is an OCI image layout and carries
//! docker's `manifest.json` as well, made without a daemon and without a base image.
//!
//! This is what others call, `cargo xtask k8s-up` among them:
//!
//! ```ignore
//! let recipe = Recipe::service("mira", "0.1.0", "amd64", "revision", created);
//! let image = Image::new(&recipe, &std::fs::read(binary)?)?;
//! image.write(&folder.join("mira.oci.tar"))?;   // load this
//! image.reference();                             // and run this: `localhost/mira:0.1.0-1f2e3d4c5b6a`
//! ```
//!
//! The tag holds twelve digits of the digest of the image's configuration, which classic docker calls
//! the image's id. It changes when the binary, the recipe or the base changes; times of files are no
//! part of it, but the revision and `created` are: whoever wants the same tag for the same binary
//! whatever the commit gives them a constant.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use tar::{EntryType, Header};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::base::{self, CERTIFICATES};
use super::blob::Blob;
use super::layer::{Files, Layer, NONROOT};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What is to be said of a binary to make an image of it.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As images call it: `amd64`, `arm64`.
    pub(crate) architecture: String,
    pub(crate) description: String,
    pub(crate) licenses: String,
    /// The commit, marked where the tree has changes.
    pub(crate) revision: String,
    /// Seconds since 1970: when the commit was made.
    pub(crate) created: u64,
    /// The bill of materials, which scanners look for inside the image.
    pub(crate) sbom: Option<Vec<u8>>,
    /// Whether it is a service on `core-app`: with ports, folders and a health check.
    pub(crate) is_service: bool,
}

/// A finished image, in memory.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    name: String,
    version: String,
    pub(crate) config: Blob,
    pub(crate) manifest: Blob,
    pub(crate) layers: Vec<Layer>,
}

impl Recipe {
    /// A service on `core-app`, without a bill of materials.
    pub(crate) fn service(
        name: &str,
        version: &str,
        architecture: &str,
        revision: &str,
        created: u64,
    ) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: architecture.to_owned(),
            description: String::new(),
            licenses: String::new(),
            revision: revision.to_owned(),
            created,
            sbom: None,
            is_service: true,
        }
    }

    /// Where a service reads its configuration. The folder is what can be mounted.
    fn config_file(&self) -> String {
        format!("/etc/{}/config.json", self.name)
    }

    fn app_files(&self, binary: &[u8]) -> Files {
        let mut files = Files::default();
        files.file(&format!("app/{}", self.name), 0o755, binary);
        if let Some(sbom) = &self.sbom {
            let path = format!("var/lib/db/sbom/{}.cdx.json", self.name);
            files.file(&path, 0o644, sbom.as_slice());
        }
        if self.is_service {
            files.file(&self.config_file()[1..], 0o644, "{}\n");
            // A volume that is mounted there for the first time takes over the owner.
            files.folder("app/data", 0o755, NONROOT);
            files.folder(&format!("var/log/{}", self.name), 0o755, NONROOT);
        }
        files
    }

    /// The image's configuration: how it is run.
    fn config(&self, layers: &[Layer]) -> anyhow::Result<Value> {
        let created = OffsetDateTime::from_unix_timestamp(i64::try_from(self.created)?)?;
        let created = created.format(&Rfc3339)?;
        let program = format!("/app/{}", self.name);
        let mut labels = json!({
            "org.opencontainers.image.created": created,
            "org.opencontainers.image.revision": self.revision,
            "org.opencontainers.image.title": self.name,
            "org.opencontainers.image.version": self.version,
        });
        for (label, text) in [("description", &self.description), ("licenses", &self.licenses)] {
            if !text.is_empty() {
                labels[format!("org.opencontainers.image.{label}")] = json!(text);
            }
        }
        let mut config = json!({
            "User": format!("{NONROOT}:{NONROOT}"),
            "Env": ["PATH=/app", format!("SSL_CERT_FILE={CERTIFICATES}")],
            "Entrypoint": [program],
            "WorkingDir": "/app",
            "Labels": labels,
            "StopSignal": "SIGTERM",
        });
        if self.is_service {
            let prefix = self.name.to_ascii_uppercase();
            let prefix = prefix.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            let seconds = |seconds: u64| seconds * 1_000_000_000;
            config["Env"] = json!([
                "PATH=/app",
                format!("SSL_CERT_FILE={CERTIFICATES}"),
                // The defaults are loopback, which nobody reaches from outside of a container.
                format!("{prefix}_SERVER_BIND_ADDRESS=0.0.0.0:8080"),
                format!("{prefix}_OPS_BIND_ADDRESS=0.0.0.0:9090"),
            ]);
            config["Cmd"] = json!(["--config", self.config_file()]);
            config["ExposedPorts"] = json!({"8080/tcp": {}, "9090/tcp": {}});
            config["Healthcheck"] = json!({
                "Test": ["CMD", program, "healthcheck", "--config", self.config_file()],
                "Interval": seconds(5),
                "Timeout": seconds(3),
                "StartPeriod": seconds(120),
                "Retries": 3,
            });
        }
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        let step = |what: &str| json!({"created": created, "created_by": what});
        Ok(json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": created,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": [step("base: certificates, users, time zones"), step(&format!("app: {}", self.name))],
        }))
    }
}

impl Image {
    /// Makes the image of a binary.
    pub(crate) fn new(recipe: &Recipe, binary: &[u8]) -> anyhow::Result<Self> {
        let (base, app) = (base::files(), recipe.app_files(binary));
        // Compressing is what takes time; most of it is the app's.
        let (base_layer, app_layer) = std::thread::scope(|scope| {
            let base = scope.spawn(|| base.layer());
            (base.join().expect("packing does not panic"), app.layer())
        });
        let layers = vec![base_layer?, app_layer?];
        let config = Blob::json(&recipe.config(&layers)?);
        let manifest = Blob::json(&json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": layers.iter().map(|layer| descriptor(LAYER, &layer.compressed)).collect::<Vec<_>>(),
        }));
        let (name, version) = (recipe.name.clone(), recipe.version.clone());
        Ok(Self { name, version, config, manifest, layers })
    }

    /// `0.1.0-1f2e3d4c5b6a`: a tag that no other content has.
    pub(crate) fn tag(&self) -> String {
        format!("{}-{}", self.version, &self.config.hex[..12])
    }

    /// `localhost/mira:0.1.0-1f2e3d4c5b6a`: the name under which it is known once it is loaded.
    pub(crate) fn reference(&self) -> String {
        format!("localhost/{}:{}", self.name, self.tag())
    }

    /// All blobs but the manifest.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Blob> {
        self.layers.iter().map(|layer| &layer.compressed).chain([&self.config])
    }

    /// Writes the tar that every loader takes.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let file =
            File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut tar = tar::Builder::new(BufWriter::new(file));
        put(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        put(&mut tar, "index.json", self.index().to_string().as_bytes())?;
        put(&mut tar, "manifest.json", self.docker().to_string().as_bytes())?;
        let mut blobs: Vec<&Blob> = self.blobs().chain([&self.manifest]).collect();
        blobs.sort_by_key(|blob| &blob.hex);
        for blob in blobs {
            put(&mut tar, &format!("blobs/sha256/{}", blob.hex), &blob.bytes)?;
        }
        tar.into_inner()?.flush()?;
        Ok(())
    }

    /// The layout's index. Without containerd's own annotation it would make up a name.
    fn index(&self) -> Value {
        let mut manifest = descriptor(MANIFEST, &self.manifest);
        manifest["annotations"] = json!({
            "io.containerd.image.name": self.reference(),
            "org.opencontainers.image.ref.name": self.tag(),
        });
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest]})
    }

    /// What docker looks for.
    fn docker(&self) -> Value {
        let path = |blob: &Blob| format!("blobs/sha256/{}", blob.hex);
        let layers: Vec<_> = self.layers.iter().map(|layer| path(&layer.compressed)).collect();
        json!([{"Config": path(&self.config), "RepoTags": [self.reference()], "Layers": layers}])
    }
}

/// How one blob is named by another.
pub(crate) fn descriptor(media_type: &str, blob: &Blob) -> Value {
    json!({"mediaType": media_type, "digest": blob.digest(), "size": blob.bytes.len()})
}

fn put<W: Write>(tar: &mut tar::Builder<W>, path: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_size(bytes.len() as u64);
    Ok(tar.append_data(&mut header, path, bytes)?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Read as _;

    use super::*;
    use crate::dist::blob::sha256;

    fn recipe() -> Recipe {
        Recipe::service("mira", "0.1.0", "amd64", "c0ffee", 1_700_000_000)
    }

    /// The files of the tar.
    fn written(image: &Image) -> BTreeMap<String, Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        image.write(&path).unwrap();
        let mut tar = tar::Archive::new(File::open(path).unwrap());
        let read = |entry: std::io::Result<tar::Entry<'_, File>>| {
            let mut entry = entry.unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.path().unwrap().display().to_string(), bytes)
        };
        tar.entries().unwrap().map(read).collect()
    }

    /// DIST-3: whichever way a loader goes, by the layout's index or by docker's manifest, it finds the
    /// same configuration and the same layers, and every digest is true.
    #[test]
    fn both_ways_lead_to_the_same_blobs() {
        let files = written(&Image::new(&recipe(), b"binary").unwrap());
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path]).unwrap() };
        let path = |descriptor: &Value| {
            let path = descriptor["digest"].as_str().unwrap().replace(':', "/");
            let path = format!("blobs/{path}");
            assert_eq!(descriptor["size"], files[&path].len(), "{path}");
            path
        };
        for (path, bytes) in &files {
            if let Some(digest) = path.strip_prefix("blobs/sha256/") {
                assert_eq!(sha256(bytes), digest);
            }
        }
        let manifest = json(&path(&json("index.json")["manifests"][0]));
        let layers: Vec<String> = manifest["layers"].as_array().unwrap().iter().map(path).collect();
        let docker = &json("manifest.json")[0];
        assert_eq!(docker["Config"], path(&manifest["config"]));
        assert_eq!(docker["Layers"], json!(layers));
        assert_eq!(layers.len(), 2, "base and app are apart");
        assert_eq!(files.len(), 3 + layers.len() + 2, "{:?}", files.keys());
    }

    /// DIST-4: what is run is no root and no shell, and tells docker how to ask it for its health.
    #[test]
    fn it_runs_without_rights() {
        let image = Image::new(&recipe(), b"binary").unwrap();
        let config: Value = serde_json::from_slice(&image.config.bytes).unwrap();
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");
        let config = &config["config"];
        assert_eq!(config["User"], "65532:65532");
        assert_eq!(config["Entrypoint"], json!(["/app/mira"]));
        assert_eq!(config["Cmd"], json!(["--config", "/etc/mira/config.json"]));
        assert_eq!(config["Healthcheck"]["Test"][2], "healthcheck");
        assert!(config["Env"].to_string().contains("MIRA_OPS_BIND_ADDRESS=0.0.0.0:9090"));
    }

    /// DIST-3: another binary changes the tag and the app's layer, and leaves the base alone.
    #[test]
    fn the_tag_follows_the_content() {
        let [a, b] = ["a", "b"].map(|binary| Image::new(&recipe(), binary.as_bytes()).unwrap());
        assert_eq!(a.reference(), format!("localhost/mira:0.1.0-{}", &a.config.hex[..12]));
        assert_ne!(a.tag(), b.tag());
        assert_eq!(a.layers[0].diff_id, b.layers[0].diff_id);
        assert_ne!(a.layers[1].diff_id, b.layers[1].diff_id);
    }
}
