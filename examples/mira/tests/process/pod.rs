use crate::mira::{command, output};

const DEPLOYMENT: &str = include_str!("../../../../deploy/kubernetes/base/deployment.yaml");
const CONFIG: &str = include_str!("../../../../deploy/kubernetes/base/config.yaml");

/// The settings that the manifests give to Mira, as a file.
fn settings() -> String {
    let (_, block) = CONFIG.split_once("10-mira.toml: |\n").expect("the file is there");
    block
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .map(|it| format!("{it}\n"))
        .collect()
}

/// What `--print-pod` says of the settings, and the manifest does not.
fn missing(settings: &str, manifest: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("10-mira.toml");
    std::fs::write(&file, settings).unwrap();
    std::fs::write(folder.path().join("ops-token"), "canary").unwrap();
    let secrets = format!("secrets.file.directory={}", folder.path().display());
    let file = file.to_str().unwrap();
    let arguments = ["--config", file, "--set", &secrets, "--print-pod"];
    let (code, stdout, stderr) = output(&mut command(&arguments));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "a pod with these settings would not work");
    let says = |line: &str| line.starts_with('#') || manifest.lines().any(|it| it.trim() == line);
    stdout.lines().map(str::trim).filter(|line| !says(line)).map(str::to_owned).collect()
}

/// K8S-7, STOP-2: ports, probes and grace period of the manifests come from Mira's own settings.
#[test]
fn manifests_say_what_the_settings_need() {
    assert_eq!(missing(&settings(), DEPLOYMENT), [""; 0]);
}

/// K8S-7, STOP-2: a number that was changed in one place only is seen.
#[test]
fn a_number_that_differs_is_seen() {
    let hasty =
        DEPLOYMENT.replace("terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 3");
    assert_eq!(missing(&settings(), &hasty), ["terminationGracePeriodSeconds: 30"]);
    let slow = settings()
        .replace("[server]", "[server]\ngrace_period = \"60s\"\nshutdown_timeout = \"50s\"");
    assert_eq!(missing(&slow, DEPLOYMENT), ["terminationGracePeriodSeconds: 60"]);
    let moved = settings().replace("0.0.0.0:9090", "0.0.0.0:9191");
    assert_eq!(missing(&moved, DEPLOYMENT), ["- {name: ops, containerPort: 9191}"]);
}
