//! Tools that take the tar without a daemon: each finds the same digests in it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::Shipped;
use crate::context::Context;
use crate::dist::blob::sha256;
use crate::process;
use crate::tool::{PODMAN, SKOPEO, Tool, UMOCI};

/// Asks all of them, and returns their names and versions, or why one was not asked.
pub(super) fn check(
    context: &Context,
    shipped: &Shipped,
    folder: &Path,
) -> anyhow::Result<Vec<String>> {
    let tar = shipped.path("image")?;
    let tar = tar.to_str().context("the folder's name is not text")?;
    context.step("dist: skopeo");
    skopeo(shipped, tar)?;
    context.step("dist: umoci");
    umoci(shipped, tar, folder)?;
    let mut seen = vec![version(&SKOPEO), version(&UMOCI)];
    if PODMAN.find().is_some() {
        context.step("dist: podman");
        podman(shipped, tar, folder)?;
        seen.push(version(&PODMAN));
    } else {
        seen.push(format!("not podman: {}", PODMAN.missing()));
    }
    Ok(seen)
}

/// `skopeo 1.9.3`
fn version(tool: &Tool) -> String {
    let version = tool.find().map(|found| found.version).unwrap_or_default();
    let number = version.split(' ').find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    format!("{} {}", tool.name, number.unwrap_or_default())
}

/// It reads both forms.
fn skopeo(shipped: &Shipped, tar: &str) -> anyhow::Result<()> {
    let inspect = |flag: &str, transport: &str| {
        let mut skopeo = Command::new("skopeo");
        let from = format!("{transport}:{tar}");
        process::run(skopeo.args(["inspect", flag, "--raw", &from]), |_| {})
    };
    let manifest = inspect("--no-tags", "oci-archive")?;
    let digest = format!("sha256:{}", sha256(manifest.as_bytes()));
    ensure!(digest == shipped.image("manifest"), "skopeo finds the manifest {digest}");
    for transport in ["oci-archive", "docker-archive"] {
        let config = inspect("--config", transport)?;
        let digest = format!("sha256:{}", sha256(config.as_bytes()));
        ensure!(digest == shipped.image("config"), "skopeo's {transport} finds {digest}");
    }
    Ok(())
}

/// It takes a layout apart, and unpacks it.
fn umoci(shipped: &Shipped, tar: &str, folder: &Path) -> anyhow::Result<()> {
    let layout = folder.join("layout");
    tar::Archive::new(std::fs::File::open(tar)?).unpack(&layout)?;
    let (_, tag) = shipped.image("reference").rsplit_once(':').context("the image has no tag")?;
    let image = format!("{}:{tag}", layout.display());
    let bundle = folder.join("bundle");
    let mut umoci = Command::new("umoci");
    umoci.args(["unpack", "--rootless", "--image", &image]).arg(&bundle);
    process::run(&mut umoci, |_| {})?;
    let unpacked = std::fs::read(bundle.join("rootfs/app/mira"))?;
    let binary = std::fs::read(shipped.path("binary")?)?;
    ensure!(unpacked == binary, "umoci unpacks another binary");
    let config = std::fs::read_to_string(bundle.join("config.json"))?;
    let config: Value = serde_json::from_str(&config)?;
    ensure!(config["process"]["args"][0] == "/app/mira", "{}", config["process"]);
    Ok(())
}

/// Its storage is its own: nothing is seen of what a person has.
fn podman(shipped: &Shipped, tar: &str, folder: &Path) -> anyhow::Result<()> {
    let podman = |arguments: &[&str]| {
        let mut podman = Command::new("podman");
        podman
            .arg("--root")
            .arg(folder.join("podman"))
            .arg("--runroot")
            .arg(folder.join("podman-run"));
        process::run(podman.args(["--storage-driver", "vfs"]).args(arguments), |_| {})
    };
    podman(&["load", "--quiet", "--input", tar])?;
    let found =
        podman(&["inspect", "--format", "{{.Id}} {{.Digest}}", shipped.image("reference")])?;
    let config = shipped.image("config").trim_start_matches("sha256:");
    let wanted = format!("{config} {}", shipped.image("manifest"));
    ensure!(found.trim() == wanted, "podman has loaded {found}");
    // Folders with other owners than this program's cannot be removed by it unless it is root.
    podman(&["rmi", "--force", shipped.image("reference")])?;
    Ok(())
}
