//! The variables of the founding documents.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use core_config::schemars::{self, JsonSchema};
use core_config::{Loader, Validate};
use core_types::{Duration, Secret};
use serde::{Deserialize, Serialize};

use crate::settings::variables;

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Service {
    server: Option<Server>,
    store: Store,
    logging: Logging,
    vault: Option<Vault>,
    integrations: BTreeMap<String, Integration>,
    github: Integration,
    // Two keys that one variable may mean.
    a: BTreeMap<String, String>,
    a_b: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Server {
    bind_address: SocketAddr,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Store {
    enable_wal: bool,
    kind: Kind,
    data_dirs: Vec<String>,
    replicas: Vec<Replica>,
    max_age: Option<Duration>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    #[default]
    InMemory,
    Shared,
    OnDisk {
        sync_writes: bool,
    },
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
struct Replica {
    host: String,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Logging {
    #[schemars(extend("x-short" = ["LOG_LEVEL"]))]
    level: String,
    #[schemars(extend("x-short" = ["LOG_JSON"]))]
    json_format: Option<bool>,
}

#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
struct Vault {
    #[schemars(extend("x-env-default" = ["VAULT_ADDR"]))]
    url: String,
    #[serde(skip_serializing)]
    token: Option<Secret<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema, Serialize)]
#[serde(default)]
struct Integration {
    enabled: bool,
    #[serde(skip_serializing)]
    #[schemars(extend("x-env" = ["GITHUB_TOKEN"]))]
    token: Option<Secret<String>>,
}

impl Validate for Service {}

fn load(prefix: &str, pairs: &[(&str, &str)]) -> Result<core_config::Loaded<Service>, String> {
    let loader = Loader::<Service>::new().with_environment(prefix, variables(pairs));
    loader.load().map_err(|error| error.to_string())
}

/// CFG-2: single underscores reach nested tables, options, enums, maps and lists.
#[test]
fn names_of_the_founding_documents_reach_their_keys() {
    for (prefix, variable, value, key, shown) in [
        ("SPACEPANDA", "SERVER_BIND_ADDRESS", "1.2.3.4:5", "server.bind_address", "\"1.2.3.4:5\""),
        ("SPACEPANDA", "STORE_ENABLE_WAL", "true", "store.enable_wal", "true"),
        (
            "SPACEPANDA",
            "STORE_KIND_ON_DISK_SYNC_WRITES",
            "true",
            "store.kind.on_disk.sync_writes",
            "true",
        ),
        ("SPACEPANDA", "STORE_DATA_DIRS", "/a, /b", "store.data_dirs", "[\"/a\",\"/b\"]"),
        (
            "SPACEPANDA",
            "STORE_REPLICAS",
            r#"[{"host": "h"}]"#,
            "store.replicas",
            r#"[{"host":"h"}]"#,
        ),
        ("SPACEPANDA", "STORE_MAX_AGE", "1h 30m", "store.max_age", "\"1h 30m\""),
        ("MIRA", "VAULT_URL", "https://vault", "vault.url", "\"https://vault\""),
        ("MIRA", "VAULT_TOKEN", "canary", "vault.token", "\"[REDACTED]\""),
        ("MIRA", "GITHUB_ENABLED", "true", "github.enabled", "true"),
        (
            "MIRA",
            "INTEGRATIONS_JIRA_CLOUD_ENABLED",
            "true",
            "integrations.jira_cloud.enabled",
            "true",
        ),
        ("MIRA", "LOG_LEVEL", "007", "logging.level", "\"007\""),
        ("MIRA", "LOG_JSON", "true", "logging.json_format", "true"),
        ("MIRA", "A_X", "x", "a.x", "\"x\""),
    ] {
        let variable = format!("{prefix}_{variable}");
        let loaded = load(prefix, &[(&variable, value)]).unwrap();
        let found =
            loaded.effective.iter().find(|setting| setting.origin.to_string().ends_with(&variable));
        let found = found.map(|found| (found.key.to_string(), found.value.to_string()));
        assert_eq!(found, Some((key.into(), shown.into())), "{variable}");
        assert_eq!(loaded.warnings, [], "{variable}");
    }
    let kind = |value| load("MIRA", &[("MIRA_STORE_KIND", value)]).unwrap().settings.store.kind;
    assert_eq!(kind("shared"), Kind::Shared);
    assert_eq!(kind(r#"{"on_disk": {"sync_writes": true}}"#), Kind::OnDisk { sync_writes: true });
    let token = |pairs| load("MIRA", pairs).unwrap().settings.github.token.unwrap();
    assert_eq!(token(&[("GITHUB_TOKEN", "foreign")]).expose(), "foreign");
    let both = [("GITHUB_TOKEN", "foreign"), ("MIRA_GITHUB_TOKEN", "ours")];
    assert_eq!(token(&both).expose(), "ours");
}

/// CFG-2: an ambiguous name is refused with its candidates; an unknown one is warned of with the
/// nearest; those of a Kubernetes Service of our name are passed over.
#[test]
fn names_that_are_none_are_told() {
    let error = load("MIRA", &[("MIRA_A_B_C", "x")]).unwrap_err();
    assert!(
        error.ends_with("variable MIRA_A_B_C: is ambiguous: it may mean `a.b_c` or `a_b.c`"),
        "{error}"
    );
    let loaded = load(
        "MIRA",
        &[
            ("MIRA_STORE_ENABLE_WALL", "x"),
            ("MIRA_LOG_LEVLE", "x"),
            ("MIRA_PORT", "tcp://10.0.0.1:8080"),
            ("MIRA_SERVICE_HOST", "10.0.0.1"),
            ("MIRA_SERVICE_PORT", "8080"),
            ("MIRA_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
            ("MIRA_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("MIRAGE_SERVER", "x"),
        ],
    );
    let warnings: Vec<String> = loaded.unwrap().warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "variable MIRA_STORE_ENABLE_WALL: is no setting; did you mean `MIRA_STORE_ENABLE_WAL`?",
            "variable MIRA_LOG_LEVLE: is no setting; did you mean `MIRA_LOG_LEVEL`?",
        ]
    );
}

/// CFG-2: a variable of another tool counts where no other source says anything, below every file.
#[test]
fn variables_of_other_tools_are_the_weakest() {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let url = |file: Option<&std::path::Path>, pairs: &[(&str, &str)]| {
        let loader = file.into_iter().fold(Loader::<Service>::new(), Loader::with_file);
        let loaded = loader.with_environment("MIRA", variables(pairs)).load().unwrap();
        loaded.settings.vault.unwrap_or_default().url
    };
    let of_vault = ("VAULT_ADDR", "https://a");
    assert_eq!(url(None, &[of_vault]), "https://a");
    assert_eq!(url(None, &[("VAULT_ADDR", "")]), "");
    assert_eq!(url(None, &[of_vault, ("MIRA_VAULT_URL", "https://b")]), "https://b");
    std::fs::write(file.path(), "vault.url = 'https://c'").unwrap();
    assert_eq!(url(Some(file.path()), &[of_vault]), "https://c");
}
