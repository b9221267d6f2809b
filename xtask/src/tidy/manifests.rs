//! The root manifest is the only place for versions, lints and metadata.

use toml::{Table, Value};

use super::tree::Tree;

/// What every member takes from the workspace.
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];
const DEPENDENCIES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

pub(crate) fn inherit(tree: &Tree) -> Vec<String> {
    each(tree, |manifest, _| {
        let mut complaints = Vec::new();
        for key in INHERITED {
            if !inherits(table(manifest, "package").get(*key)) {
                complaints.push(format!("say `{key}.workspace = true`"));
            }
        }
        if !inherits(manifest.get("lints")) {
            complaints.push("say `[lints] workspace = true`".into());
        }
        for (name, dependency) in dependencies(manifest) {
            if !inherits(Some(dependency)) && !is_itself(name, dependency, manifest) {
                complaints
                    .push(format!("{name}: say `workspace = true`; versions stand in the root"));
            }
        }
        complaints
    })
}

pub(crate) fn explain_features(tree: &Tree) -> Vec<String> {
    each(tree, |manifest, text| {
        let lines: Vec<&str> = text.lines().collect();
        let explained = |feature: &str| {
            let declares =
                |line: &str| line.split('=').next().is_some_and(|key| key.trim() == feature);
            lines.windows(2).any(|pair| declares(pair[1]) && pair[0].starts_with("## "))
        };
        let complain = |feature: &String| match feature.as_str() {
            "default" => Some("default: no feature is on by default".into()),
            feature if !explained(feature) => {
                Some(format!("{feature}: explain the feature in a `##` line above"))
            }
            _ => None,
        };
        table(manifest, "features").keys().filter_map(complain).collect()
    })
}

/// Asks each member's manifest.
fn each(tree: &Tree, complaints: impl Fn(&Table, &str) -> Vec<String>) -> Vec<String> {
    let members = tree.members().into_iter().map(|member| format!("{member}/Cargo.toml"));
    let asked = members.flat_map(|path| {
        let text = tree.file(&path).unwrap_or_default();
        let complaints = match text.parse() {
            Ok(manifest) => complaints(&manifest, text),
            Err(error) => vec![error.to_string()],
        };
        complaints.into_iter().map(move |complaint| format!("{path}: {complaint}"))
    });
    asked.collect()
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// Whether a member depends on itself, as tests do that need its features. A version of itself would
/// have to be in the registry before it could be packaged.
fn is_itself(name: &str, dependency: &Value, manifest: &Table) -> bool {
    let own = table(manifest, "package").get("name").and_then(Value::as_str);
    let here = dependency.get("path").and_then(Value::as_str) == Some(".");
    own == Some(name) && here && dependency.get("version").is_none()
}

/// All dependencies, those of certain systems included.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let systems = table(manifest, "target").values().filter_map(Value::as_table);
    let places = std::iter::once(manifest).chain(systems);
    places.flat_map(|place| DEPENDENCIES.iter().flat_map(|kind| table(place, kind)))
}

fn table<'t>(parent: &'t Table, key: &str) -> &'t Table {
    static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);
    parent.get(key).and_then(Value::as_table).unwrap_or(&EMPTY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]
name = \"core-a\"
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true

[features]
## Read and write it.
serde = [\"dep:serde\"]

[dependencies]
serde = { workspace = true, optional = true }

[dev-dependencies]
proptest.workspace = true

[lints]
workspace = true
";

    #[track_caller]
    fn check(rule: fn(&Tree) -> Vec<String>, replaced: &str, by: &str, expected: &[&str]) {
        assert!(MANIFEST.contains(replaced), "{replaced}");
        let manifest = MANIFEST.replace(replaced, by);
        let tree =
            Tree::of(&[("crates/core-a/Cargo.toml", &manifest), ("xtask/Cargo.toml", MANIFEST)]);
        assert_eq!(rule(&tree), expected);
    }

    #[test]
    fn a_member_that_inherits_is_well() {
        check(inherit, "", "", &[]);
        check(explain_features, "", "", &[]);
    }

    #[test]
    fn what_a_member_says_itself_is_found() {
        for key in INHERITED {
            let complaint = format!("crates/core-a/Cargo.toml: say `{key}.workspace = true`");
            check(
                inherit,
                &format!("\n{key}.workspace = true"),
                &format!("\n{key} = \"1\""),
                &[&complaint],
            );
        }
        let lints = "crates/core-a/Cargo.toml: say `[lints] workspace = true`";
        check(inherit, "[lints]\nworkspace = true", "", &[lints]);
        let version = "crates/core-a/Cargo.toml: proptest: say `workspace = true`; versions stand in the root";
        check(inherit, "proptest.workspace = true", "proptest = \"1\"", &[version]);
        let system = "[target.'cfg(unix)'.dependencies]\nproptest.path = \"x\"";
        check(inherit, "[dev-dependencies]\nproptest.workspace = true", system, &[version]);
    }

    #[test]
    fn a_member_may_depend_on_itself_by_path_alone() {
        let line = "proptest.workspace = true";
        check(inherit, line, "core-a = { path = \".\", features = [\"serde\"] }", &[]);
        let other =
            "crates/core-a/Cargo.toml: core-b: say `workspace = true`; versions stand in the root";
        check(inherit, line, "core-b = { path = \".\" }", &[other]);
    }

    #[test]
    fn features_are_explained_and_off() {
        let silent = "crates/core-a/Cargo.toml: serde: explain the feature in a `##` line above";
        check(explain_features, "## Read and write it.\n", "", &[silent]);
        check(explain_features, "## Read", "# Read", &[silent]);
        let default = "crates/core-a/Cargo.toml: default: no feature is on by default";
        check(explain_features, "[features]\n", "[features]\ndefault = [\"serde\"]\n", &[default]);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_named() {
        let complaints = inherit(&Tree::of(&[("xtask/Cargo.toml", "[package")]));
        assert!(complaints[0].starts_with("xtask/Cargo.toml: "), "{complaints:?}");
    }
}
