use core_config::Loader;

use crate::settings::{Folder, Level, Settings, variables};

/// CFG-1: each layer is stronger than the one before; tables merge, arrays replace.
#[test]
fn layers_in_their_order() {
    let folder = Folder::new(&[
        (
            "a.toml",
            "tags = ['toml', 'x']\n[server]\nworkers = 1\nleast = 10\nmost = 60\n[labels]\nfrom = 'toml'\na = '1'",
        ),
        (
            "b.json",
            r#"{"tags": ["json"], "server": {"workers": 2, "least": 20}, "labels": {"from": "json"}}"#,
        ),
        ("c.yaml", "server:\n  workers: 3\n  least: 30\n"),
        (".env", "APP_SERVER_WORKERS=4\nAPP_SERVER_LEAST=40\n"),
    ]);
    let mut loader = Loader::<Settings>::new();
    let check = |loader: &Loader<Settings>, workers: u16, least: u32| {
        let server = loader.load().unwrap().settings.server;
        assert_eq!((server.workers, server.least), (workers, least));
    };
    check(&loader, 4, 1);
    loader = loader.with_file(folder.path("a.toml"));
    check(&loader, 1, 10);
    loader = loader.with_file(folder.path("b.json"));
    check(&loader, 2, 20);
    loader = loader.with_file(folder.path("c.yaml"));
    check(&loader, 3, 30);
    loader = loader.with_environment("APP", []).with_dot_env(folder.path(".env"));
    check(&loader, 4, 40);
    loader = loader.with_environment(
        "APP",
        variables(&[("APP_SERVER_WORKERS", "5"), ("APP_SERVER_LEAST", "50")]),
    );
    check(&loader, 5, 50);
    loader = loader.with_set("server.workers=6");
    check(&loader, 6, 50);

    let settings = loader.load().unwrap().settings;
    assert_eq!(settings.tags, ["json"]);
    let labels: Vec<_> = settings.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(labels, [("a", "1"), ("from", "json")]);
}

/// CFG-1: a `conf.d` folder is read in the order of its names; other files are none of ours.
#[test]
fn a_folder_of_files() {
    let folder = Folder::new(&[
        ("conf.d/10-base.toml", "[server]\nworkers = 1\nleast = 2"),
        ("conf.d/20-site.yaml", "server: {workers: 2}"),
        ("conf.d/30-site.TOML", "server.workers = 3"),
        ("conf.d/40-site.Yml", "server: {workers: 4}"),
        ("conf.d/README", "no configuration"),
        ("conf.d/.hidden.toml", "nonsense"),
    ]);
    let server = folder.loader("conf.d").load().unwrap().settings.server;
    assert_eq!((server.workers, server.least), (4, 2));
}

/// CFG-1: a link to nothing is present and unreadable, in every kind of folder.
#[cfg(unix)]
#[test]
fn a_link_to_nothing_is_a_mistake() {
    let folder = Folder::new(&[("conf.d/a.toml", ""), ("keys/server.least", "1")]);
    for (link, loader) in [
        ("conf.d/b.toml", folder.loader("conf.d")),
        ("keys/logging.level", Loader::new().with_key_folder(folder.path("keys"))),
    ] {
        assert!(loader.load().is_ok());
        std::os::unix::fs::symlink("..gone/x", folder.path(link)).unwrap();
        let error = folder.strip(&loader.load().unwrap_err().to_string());
        assert!(
            error.contains(link) && error.ends_with("is a link to a file that does not exist"),
            "{error}"
        );
    }
}

/// CFG-1: what a `.env` file says is taken as it stands; a bad line is named, and hides no other.
#[test]
fn a_dot_env_file() {
    let folder = Folder::new(&[]);
    let load = |text: &str| {
        folder.write(".env", text);
        let loader = Loader::<Settings>::new().with_environment("APP", []);
        let loaded = loader
            .with_dot_env(folder.path(".env"))
            .read()
            .map(|draft| draft.build(|target| Ok(format!("<{target}>").as_str().into())).unwrap());
        loaded.map_err(|error| folder.strip(&error.to_string()))
    };
    let text = "# comment\nexport APP_INTEGRATIONS_GITHUB_TOKEN=pa$word\nAPP_INTEGRATIONS_GITHUB_URL=\"a://$b:${secret://c:d}@$HOME\"";
    let loaded = load(text).unwrap();
    let github = &loaded.settings.integrations.github;
    assert_eq!(github.token.as_ref().unwrap().expose(), "pa$word");
    assert_eq!(github.url, "a://$b:<secret://c:d>@$HOME");
    let origins: Vec<String> =
        loaded.effective.iter().map(|s| folder.strip(&s.origin.to_string())).collect();
    assert!(origins.contains(&".env:2: APP_INTEGRATIONS_GITHUB_TOKEN".to_owned()), "{origins:?}");

    expect_test::expect![[r#"
        configuration refused, 3 problems:
          .env:2:1: expected a line such as `NAME=value`
          .env:4:1: the quotes of the value do not end
          .env:3: APP_SERVER_WORKERS: server.workers: expected a whole number from 1 to 100"#]]
    .assert_eq(&load("A=1\ncanary\nAPP_SERVER_WORKERS=canary\nAPP_TAGS='canary\n").unwrap_err());
    assert_eq!(load("APP_SERVER_WORKER=1").unwrap().warnings.len(), 1);
}

/// CFG-1: a folder in which each file is a key, laid out as the kubelet does.
#[cfg(unix)]
#[test]
fn a_mounted_folder_of_keys() {
    use std::os::unix::fs::symlink;

    let folder = Folder::new(&[
        ("mount/..2026/server.workers", "7\n"),
        ("mount/..2026/logging.level", "debug"),
        ("nested/integrations/github/token", "canary\r\n"),
    ]);
    symlink("..2026", folder.path("mount/..data")).unwrap();
    for key in ["server.workers", "logging.level"] {
        symlink(format!("..data/{key}"), folder.path(&format!("mount/{key}"))).unwrap();
    }
    let loader = Loader::<Settings>::new()
        .with_key_folder(folder.path("mount"))
        .with_key_folder(folder.path("nested"));
    let settings = loader.load().unwrap().settings;
    assert_eq!(settings.server.workers, 7);
    assert_eq!(settings.logging.level, Level::Debug);
    assert_eq!(settings.integrations.github.token.unwrap().expose(), "canary");
}

/// CFG-1: only an optional file that does not exist is skipped.
#[test]
fn what_is_there_must_be_readable() {
    let folder = Folder::new(&[("settings.ini", "x"), ("dir.toml/x", "")]);
    let optional =
        |name: &str| Loader::<Settings>::new().with_optional_file(folder.path(name)).load();
    assert!(optional("absent.toml").is_ok());
    assert!(optional("settings.ini").is_err());
    assert!(optional("dir.toml").is_err());
    assert!(folder.loader("absent.toml").load().is_err());
    // Waiting for somebody who writes to a pipe would take for ever.
    #[cfg(unix)]
    {
        let pipe = folder.path("pipe.toml");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success() && optional("pipe.toml").is_err());
    }

    #[cfg(unix)]
    {
        // A loop of links exists and cannot be read, by root neither.
        std::os::unix::fs::symlink("loop.toml", folder.path("loop.toml")).unwrap();
        assert!(optional("loop.toml").is_err());
    }
}

/// CFG-1: the three notations say the same.
#[test]
fn notations_are_equal() {
    let folder = Folder::new(&[
        (
            "a.toml",
            "tags = ['x', '1']\n[server]\nworkers = 0x10\nrequest_timeout = 1.5\nbody_limit = '1KiB'\n[logging]\njson_format = false\n",
        ),
        (
            "a.json",
            "{\n\t\"tags\": [\"x\", \"1\"], \"server\": {\"workers\": 16, \"request_timeout\": 1.5,\n\"body_limit\": \"1KiB\"}, \"logging\": {\"json_format\": false}}",
        ),
        (
            "a.yaml",
            "# comment\ntags: &tags\n  - x\n  - '1'\nserver:\n  workers: 0x10\n  request_timeout: 1.5\n  body_limit: 1KiB\nlogging: {json_format: false}\n",
        ),
    ]);
    let load = |name: &str| format!("{:?}", folder.loader(name).load().unwrap().settings);
    assert_eq!(load("a.toml"), load("a.json"));
    assert_eq!(load("a.toml"), load("a.yaml"));
}
