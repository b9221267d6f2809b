//! Images of programs that are on this machine: the program, and what it is linked to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tar::{Builder, Header};

use super::kubectl::output;
use super::replace::replace;

/// An image in an archive that every container tool reads.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// `localhost/NAME:TAG`; the tag changes if and only if something in the image has changed.
    pub(crate) name: String,
    /// The digest of its configuration, by which a node knows it.
    pub(crate) id: String,
    pub(crate) archive: PathBuf,
}

/// Makes the image of a program, in a folder. It runs as a user without rights.
pub(crate) fn of_program(folder: &Path, name: &str, program: &Path) -> anyhow::Result<Image> {
    let own = program.file_name().and_then(|it| it.to_str()).context("a program has a name")?;
    let own = format!("usr/local/bin/{own}");
    let mut layer = Builder::new(Vec::new());
    add(&mut layer, &own, &read(program)?, 0o755)?;
    for library in libraries(program) {
        add(&mut layer, library.trim_start_matches('/'), &read(Path::new(&library))?, 0o755)?;
    }
    add(&mut layer, "etc/passwd", b"nonroot:x:65532:65532::/:/none\n", 0o644)?;
    add(&mut layer, "etc/nsswitch.conf", b"hosts: files dns\n", 0o644)?;
    let layer = layer.into_inner()?;
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": {"Entrypoint": [format!("/{own}")], "User": "65532:65532"},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", digest(&layer))]},
    });
    let config = config.to_string().into_bytes();
    let id = digest(&config);
    let tagged = format!("localhost/{name}:{}", &id[..12]);
    let file = format!("{id}.json");
    let manifest =
        json!([{"Config": file, "RepoTags": [tagged], "Layers": ["layer.tar"]}]).to_string();
    let archive = folder.join(format!("{name}.tar"));
    let write = |archive: &mut fs::File| {
        let mut image = Builder::new(archive);
        add(&mut image, &file, &config, 0o644)?;
        add(&mut image, "layer.tar", &layer, 0o644)?;
        add(&mut image, "manifest.json", manifest.as_bytes(), 0o644)?;
        Ok(image.into_inner()?.sync_all()?)
    };
    replace(&archive, write).context("cannot write the image")?;
    Ok(Image { name: tagged, id: format!("sha256:{id}"), archive })
}

fn add<W: std::io::Write>(
    tar: &mut Builder<W>,
    path: &str,
    content: &[u8],
    mode: u32,
) -> anyhow::Result<()> {
    let mut header = Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    Ok(tar.append_data(&mut header, path, content)?)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// What the loader would give to the program. Nothing, if it is linked statically.
fn libraries(program: &Path) -> Vec<String> {
    let Ok(listed) = output(Command::new("ldd").arg(program), "") else { return Vec::new() };
    let path = |line: &str| {
        let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
        Some(path.to_owned())
    };
    listed.lines().filter_map(path).collect()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
