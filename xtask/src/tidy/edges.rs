//! The rule that shapes everything: no `core-*` crate knows a sibling. They meet in `core-app`.

use crate::workspace::Workspace;

/// Who depends on whom, for running, for tests or for building.
pub(crate) fn read(workspace: &Workspace) -> Vec<(String, String)> {
    let members = workspace.members().iter();
    let edges = members.flat_map(|member| {
        member.dependencies.iter().map(|needed| (member.name.to_string(), needed.name.clone()))
    });
    edges.collect()
}

/// Complains of each edge between siblings.
pub(crate) fn sideways(edges: &[(String, String)]) -> Vec<String> {
    let ours = |name: &str| name.starts_with("core-");
    let sideways = |(from, to): &&(String, String)| {
        ours(from) && ours(to) && from != to && from != "core-app" && to != "core-types"
    };
    let complain = |(from, to): &(String, String)| {
        format!("{from} -> {to}: move the type to core-types or the wiring to core-app")
    };
    edges.iter().filter(sideways).map(complain).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(edges: &[(&str, &str)], expected: &[&str]) {
        let own = |(from, to): &(&str, &str)| ((*from).to_owned(), (*to).to_owned());
        assert_eq!(sideways(&edges.iter().map(own).collect::<Vec<_>>()), expected);
    }

    #[test]
    fn siblings_may_not_know_each_other() {
        check(
            &[("core-log", "core-types"), ("core-log", "core-http"), ("core-types", "core-log")],
            &[
                "core-log -> core-http: move the type to core-types or the wiring to core-app",
                "core-types -> core-log: move the type to core-types or the wiring to core-app",
            ],
        );
    }

    #[test]
    fn the_host_and_strangers_may_know_everybody() {
        check(&[("core-app", "core-log"), ("mira", "core-log"), ("core-log", "tracing")], &[]);
    }

    /// Edges of every kind are seen: also those that only tests, builds or other systems have.
    #[test]
    fn no_kind_of_dependency_is_missed() {
        let kinds = [
            "dependencies",
            "dev-dependencies",
            "build-dependencies",
            "target.'cfg(windows)'.dependencies",
        ];
        for kind in kinds {
            let folder = tempfile::tempdir().unwrap();
            let write = |path: &str, text: &str| {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            };
            write("Cargo.toml", "[workspace]\nmembers = ['a', 'b']\nresolver = '3'");
            write(
                "a/Cargo.toml",
                &format!("[package]\nname = 'core-a'\n[{kind}]\ncore-b.path = '../b'"),
            );
            write("a/src/lib.rs", "");
            write("b/Cargo.toml", "[package]\nname = 'core-b'");
            write("b/src/lib.rs", "");
            let workspace = Workspace::read(folder.path()).unwrap();
            assert_eq!(sideways(&read(&workspace)).len(), 1, "{kind}");
        }
    }
}
