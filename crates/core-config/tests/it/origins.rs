use core_config::{Key, Loader};
use expect_test::expect;

use crate::settings::{Folder, Settings, variables};

fn folder_and_loader() -> (Folder, Loader<Settings>) {
    let folder = Folder::new(&[(
        "a.toml",
        "labels = {team = 'blue'}\n[server]\nworkers = 2\n[integrations.github]\ntoken = 'canary'\nurl = 'https://me:canary@host'",
    )]);
    let loader = folder
        .loader("a.toml")
        .with_environment(
            "APP",
            variables(&[("APP_SERVER_WORKERS", "3"), ("APP_LOG_LEVEL", "warn")]),
        )
        .with_set("server.workers=4");
    (folder, loader)
}

/// Every value tells where it came from and what it overrode; secrets are masked.
#[test]
fn a_value_is_explained() {
    let (folder, loader) = folder_and_loader();
    let effective = loader.load().unwrap().effective;
    let explain = |key: &str| {
        let key = Key::parse(key).unwrap();
        let lines: String = effective.explain(&key).iter().map(ToString::to_string).collect();
        folder.strip(&lines)
    };
    expect![[r#"
        server.workers = 4
          from flag --set server.workers
          overrides 3 from variable APP_SERVER_WORKERS
          overrides 2 from a.toml:3:11
        integrations.github.enabled = false
          from default
        integrations.github.token = "[REDACTED]"
          from a.toml:5:9
        integrations.github.url = "https://me:[REDACTED]@host"
          from a.toml:6:7
    "#]]
    .assert_eq(&(explain("server.workers") + &explain("integrations")));
}

/// CFG-4: the dump of the whole is masked, and is TOML again.
#[test]
fn the_dump_is_masked() {
    let (folder, loader) = folder_and_loader();
    let effective = loader.load().unwrap().effective;
    let dump = folder.strip(&effective.to_toml());
    expect![[r#"
        integrations.github.enabled = false                     # default
        integrations.github.token = "[REDACTED]"                # a.toml:5:9
        integrations.github.url = "https://me:[REDACTED]@host"  # a.toml:6:7
        labels.team = "blue"                                    # a.toml:1:18
        # logging.json_format is not set                        # default
        logging.level = "warn"                                  # variable APP_LOG_LEVEL
        server.bind_address = "127.0.0.1:8080"                  # default
        server.body_limit = "2MiB"                              # default
        server.least = 1                                        # default
        server.most = 2                                         # default
        server.request_timeout = "30s"                          # default
        server.workers = 4                                      # flag --set server.workers
        tags = []                                               # default
    "#]]
    .assert_eq(&dump);
    let again = Folder::new(&[("b.toml", &dump)]);
    let loaded = again.loader("b.toml").load().unwrap();
    assert_eq!(loaded.settings.server.workers, 4);
}
