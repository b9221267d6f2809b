//! The golden file: how the binary is protected, and what lies in the image. A change shows as a
//! difference in a review.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use flate2::read::GzDecoder;
use serde_json::Value;
use tar::{Archive, EntryType};

use super::Shipped;
use crate::context::Context;
use crate::dist::hardening;
use crate::environment;

const GOLDEN: &str = "xtask/golden";

/// Compares, or writes the file where `UPDATE_EXPECT` is set.
pub(super) fn compare(context: &Context, shipped: &Shipped) -> anyhow::Result<()> {
    let binary = fs::read(shipped.path("binary")?)?;
    let symbols = fs::read(shipped.path("debug-symbols")?)?;
    ensure!(
        hardening::build_id(&binary)? == hardening::build_id(&symbols)?,
        "the symbols are another binary's"
    );
    let now = format!(
        "hardening\n{}\n\nimage, below {} MiB\n{}",
        hardened(&binary)?,
        shipped.path("image")?.metadata()?.len().div_ceil(1 << 20),
        listing(&shipped.path("image")?)?
    );
    let name =
        format!("{}-{}.txt", shipped.build["name"], shipped.build["target"]).replace('"', "");
    let path = context.workspace.root().join(GOLDEN).join(&name);
    if environment::updates_expectations() {
        fs::create_dir_all(context.workspace.root().join(GOLDEN))?;
        return fs::write(&path, now).context("cannot write the golden file");
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    let gone = golden.lines().filter(|line| !now.contains(*line)).map(|line| format!("- {line}"));
    let new = now.lines().filter(|line| !golden.contains(*line)).map(|line| format!("+ {line}"));
    let changes: Vec<String> = gone.chain(new).collect();
    ensure!(
        golden == now,
        "{GOLDEN}/{name} is not what was built; if that is meant, UPDATE_EXPECT=1 writes it:\n{}",
        changes.join("\n")
    );
    Ok(())
}

/// One line per answer.
fn hardened(binary: &[u8]) -> anyhow::Result<String> {
    let text = format!("{:#?}", hardening::of(binary)?);
    let lines = text.lines().filter(|line| line.starts_with(' '));
    Ok(lines.map(|line| line.trim_end_matches(',')).collect::<Vec<_>>().join("\n"))
}

/// All that lies in the layers of an image: mode, owner, path. Time zones are many, and counted.
fn listing(image: &Path) -> anyhow::Result<String> {
    let mut files = BTreeMap::new();
    let mut tar = Archive::new(fs::File::open(image)?);
    for entry in tar.entries()? {
        let mut entry = entry?;
        let mut bytes = Vec::new();
        let path = entry.path()?.display().to_string();
        entry.read_to_end(&mut bytes)?;
        files.insert(path, bytes);
    }
    let docker: Value = serde_json::from_slice(files.get("manifest.json").context("no manifest")?)?;
    let mut lines = Vec::new();
    for layer in docker[0]["Layers"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let layer = files.get(layer).with_context(|| format!("{layer} is missing"))?;
        let mut zones = 0;
        for entry in Archive::new(GzDecoder::new(layer.as_slice())).entries()? {
            let entry = entry?;
            let (path, header) = (entry.path()?.display().to_string(), entry.header());
            if path.starts_with("usr/share/zoneinfo/") {
                zones += usize::from(header.entry_type() == EntryType::Regular);
                continue;
            }
            lines.push(format!("  {:04o} {:>5} /{path}", header.mode()?, header.uid()?));
        }
        if zones > 0 {
            lines.push(format!("  0644     0 /usr/share/zoneinfo: {zones} files"));
        }
        lines.push(String::new());
    }
    Ok(lines.join("\n"))
}
