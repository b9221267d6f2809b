use super::*;

/// Folders of a test's own, and what lies in them.
struct World {
    folder: tempfile::TempDir,
    places: Places,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let places = Places {
            path: vec![at("path")],
            variables: [("VAULT_BIN", at("named/vault")), ("KUBEBUILDER_ASSETS", at("named"))]
                .into(),
            cache: at("cache"),
            modules: at("modules"),
        };
        let world = Self { folder, places };
        world.pin("vault", "github.com/hashicorp/vault v1.13.0");
        world.pin("kubernetes", "k8s.io/kubernetes v1.34.4");
        world
    }

    fn pin(&self, tool: &str, requirement: &str) {
        let folder = self.places.modules.join(tool);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("go.mod"), format!("module m\nrequire {requirement}\n")).unwrap();
        fs::write(folder.join("go.sum"), "").unwrap();
    }

    fn program(&self, path: &Path, says: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Written by another process: a program that this one has open cannot be started, and a
        // test beside this one may have its fork hold what this one has open.
        let text = format!("#!/bin/sh\necho '{says}'\n");
        let script = "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"";
        let mut shell = Command::new("sh");
        assert!(shell.args(["-c", script, "sh"]).arg(path).arg(text).status().unwrap().success());
    }

    fn check(&self, kept: &Kept, expected: Option<(Place, &str)>) {
        let found = kept.find(&self.places).unwrap();
        let found = found.as_ref().map(|(place, found)| (*place, found.version.as_str()));
        assert_eq!(found, expected, "{}", kept.program);
    }
}

#[test]
fn the_path_comes_first_then_the_variable_then_the_cache() {
    let world = World::new();
    world.check(&VAULT, None);
    world.program(&VAULT.folder(&world.places).unwrap().join("bin/vault"), "");
    world.check(&VAULT, Some((Place::Cache, "1.13.0")));
    world.program(Path::new("named/vault"), "Vault v1.17.0 (abc), built 2023-03-01");
    world.check(&VAULT, Some((Place::Variable("VAULT_BIN"), "1.17.0")));
    world.program(Path::new("path/vault"), "Vault v1.13.0 (abc), built 2023-03-01");
    world.check(&VAULT, Some((Place::Path, "1.13.0")));
}

#[test]
fn another_version_on_the_path_is_passed_by() {
    let world = World::new();
    world.program(Path::new("path/kubectl"), "Client Version: v1.32.4-dispatcher");
    world.check(&KUBECTL, None);
    world.program(Path::new("named/kubectl"), "Client Version: v1.33.1");
    world.check(&KUBECTL, Some((Place::Variable("KUBEBUILDER_ASSETS"), "1.33.1")));
    // The folder need not have all of them.
    world.check(&KUBE_APISERVER, None);
}

#[test]
fn what_was_built_from_another_sum_is_not_used() {
    let world = World::new();
    world.program(&VAULT.folder(&world.places).unwrap().join("bin/vault"), "");
    world.check(&VAULT, Some((Place::Cache, "1.13.0")));
    fs::write(world.places.modules.join("vault/go.sum"), "another").unwrap();
    world.check(&VAULT, None);
}

#[test]
fn a_build_that_fails_leaves_nothing_and_is_told() {
    let world = World::new();
    fs::write(
        world.places.modules.join("vault/go.mod"),
        "module m\nrequire github.com/hashicorp/vault v1.13.0\nnonsense\n",
    )
    .unwrap();
    let error =
        VAULT.get_from(&Context::new(false).unwrap(), &world.places).unwrap_err().to_string();
    assert!(error.contains("go"), "{error}");
    let bin = VAULT.folder(&world.places).unwrap().join("bin");
    let left = fs::read_dir(bin).map_or(0, Iterator::count);
    assert_eq!(left, 0);
    world.check(&VAULT, None);
}

#[test]
fn of_two_runs_at_once_one_waits_and_takes_what_the_other_got() {
    let world = World::new();
    let folder = VAULT.folder(&world.places).unwrap();
    let context = Context::new(false).unwrap();
    let held = lock(&context, &folder).unwrap();
    std::thread::scope(|scope| {
        let other = scope.spawn(|| VAULT.get_from(&context, &world.places));
        world.program(&folder.join("bin/vault"), "");
        drop(held);
        assert_eq!(other.join().unwrap().unwrap(), folder.join("bin/vault"));
    });
}
