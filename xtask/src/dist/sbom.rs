//! The bill of materials: `CycloneDX` 1.6, from what cargo resolved for the binary's target. What only
//! tests need is no part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::Context as _;
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Table;

use super::blob::sha256;
use crate::environment;
use crate::workspace::Workspace;

/// All that goes into a binary.
pub(crate) struct Materials {
    metadata: Metadata,
    root: PackageId,
    /// The checksums that Cargo.lock pins, by name and version.
    checksums: BTreeMap<(String, String), String>,
    /// What the binary is made of, each with what it needs itself.
    graph: BTreeMap<PackageId, BTreeSet<PackageId>>,
}

impl Materials {
    /// Asks cargo what it would build.
    pub(crate) fn read(workspace: &Workspace, package: &str, triple: &str) -> anyhow::Result<Self> {
        let mut command = MetadataCommand::new();
        command.cargo_path(environment::cargo()).current_dir(workspace.root());
        command.features(CargoOpt::SomeFeatures(Vec::new()));
        let only = ["--locked", "--filter-platform", triple].map(str::to_owned);
        let metadata = command.other_options(only).exec().context("cannot read what is needed")?;
        let root =
            metadata.workspace_packages().into_iter().find(|member| *member.name == *package);
        let root = root.with_context(|| format!("no package is called {package}"))?.id.clone();
        let lock: Table = std::fs::read_to_string(workspace.root().join("Cargo.lock"))?.parse()?;
        let mut checksums = BTreeMap::new();
        for entry in lock.get("package").and_then(toml::Value::as_array).into_iter().flatten() {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).map(str::to_owned);
            if let (Some(name), Some(version), Some(sum)) =
                (text("name"), text("version"), text("checksum"))
            {
                checksums.insert((name, version), sum);
            }
        }
        let graph = graph(&metadata, &root)?;
        Ok(Self { metadata, root, checksums, graph })
    }

    /// How many crates there are.
    pub(crate) fn count(&self) -> usize {
        self.graph.len()
    }

    pub(crate) fn package(&self) -> &Package {
        &self.metadata[&self.root]
    }

    /// Whether the package is a service on the host, with its ports and its health check.
    pub(crate) fn is_service(&self) -> bool {
        let needed = &self.graph[&self.root];
        needed.iter().any(|id| self.metadata[id].name == "core-app")
    }

    /// The folders that cargo unpacked the registry's packages into.
    pub(crate) fn registries(&self) -> impl Iterator<Item = PathBuf> {
        let packages = self.metadata.packages.iter().filter(|package| package.source.is_some());
        packages.filter_map(|package| {
            Some(package.manifest_path.parent()?.parent()?.as_std_path().to_owned())
        })
    }

    /// The bill. Nothing in it is random; its time is the commit's.
    pub(crate) fn sbom(&self, time: u64) -> anyhow::Result<Vec<u8>> {
        let components = self.graph.keys().filter(|id| **id != self.root);
        let mut components: Vec<Value> =
            components.map(|id| self.component(id, "library")).collect();
        components.sort_by_key(reference);
        let mut dependencies: Vec<Value> = Vec::new();
        for (id, needed) in &self.graph {
            let mut needed: Vec<String> = needed.iter().map(|id| self.purl(id)).collect();
            needed.sort();
            dependencies.push(json!({"ref": self.purl(id), "dependsOn": needed}));
        }
        dependencies.sort_by_key(|dependency| dependency["ref"].to_string());
        let timestamp =
            OffsetDateTime::from_unix_timestamp(i64::try_from(time)?)?.format(&Rfc3339)?;
        let mut bill = json!({
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "version": 1,
            "metadata": {
                "timestamp": timestamp,
                "component": self.component(&self.root, "application"),
            },
            "components": components,
            "dependencies": dependencies,
        });
        bill["serialNumber"] = json!(serial(&bill.to_string()));
        Ok(format!("{bill:#}\n").into_bytes())
    }

    fn component(&self, id: &PackageId, kind: &str) -> Value {
        let package = &self.metadata[id];
        let (name, version) = (package.name.to_string(), package.version.to_string());
        let mut component = json!({
            "type": kind,
            "bom-ref": self.purl(id),
            "name": name,
            "version": version,
            "purl": self.purl(id),
        });
        if let Some(license) = &package.license {
            // What was written before SPDX had expressions.
            component["licenses"] = json!([{"expression": license.replace('/', " OR ")}]);
        }
        if let Some(sum) = self.checksums.get(&(name, version)) {
            component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
        }
        if let Some(repository) = &package.repository {
            component["externalReferences"] = json!([{"type": "vcs", "url": repository}]);
        }
        component
    }

    fn purl(&self, id: &PackageId) -> String {
        let package = &self.metadata[id];
        format!("pkg:cargo/{}@{}", package.name, package.version)
    }
}

/// What a package needs to be built and to run, and what that needs in turn.
fn graph(
    metadata: &Metadata,
    root: &PackageId,
) -> anyhow::Result<BTreeMap<PackageId, BTreeSet<PackageId>>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let nodes: BTreeMap<&PackageId, _> =
        resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut graph = BTreeMap::new();
    let mut open = vec![root.clone()];
    while let Some(id) = open.pop() {
        if graph.contains_key(&id) {
            continue;
        }
        let node = nodes.get(&id).with_context(|| format!("cargo resolved no {id}"))?;
        let is_needed = |dependency: &&cargo_metadata::NodeDep| {
            let kinds = &dependency.dep_kinds;
            kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
        };
        let needed: BTreeSet<PackageId> =
            node.deps.iter().filter(is_needed).map(|dependency| dependency.pkg.clone()).collect();
        open.extend(needed.iter().cloned());
        graph.insert(id, needed);
    }
    Ok(graph)
}

fn reference(component: &Value) -> String {
    component["bom-ref"].to_string()
}

/// A UUID (version 8) that follows from a text.
fn serial(text: &str) -> String {
    let hex = sha256(text.as_bytes());
    let variant = 8 + u8::from_str_radix(&hex[16..17], 16).unwrap_or_default() % 4;
    format!(
        "urn:uuid:{}-{}-8{}-{variant:x}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}
