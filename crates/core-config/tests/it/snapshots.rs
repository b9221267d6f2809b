//! What a person sees when a configuration is wrong.

use std::fs::{self, File};

use core_config::Loader;
use expect_test::expect;

use crate::settings::{Folder, Settings, variables};

#[expect(clippy::too_many_lines, reason = "one list of what a person sees")]
/// CFG-4: each error names the place, the key, and what would be right; none shows a value.
#[test]
fn errors_read_well() {
    let folder = Folder::new(&[
        ("typo.toml", "[server]\nworker = 3"),
        ("type.toml", "[server]\nworkers = 'canary'"),
        ("type.json", "{\"server\":\n  {\"workers\": \"canary\"}}"),
        ("type.yaml", "server:\n  request_timeout: canary"),
        ("range.toml", "server.workers = 101\nserver.least = -1"),
        ("reference.toml", "integrations.github.token = 'secret://canary canary'"),
        ("open.toml", "integrations.github.url = 'https://${secret://canary@host'"),
        (
            "three.json",
            "{\"logging\": {\"level\": \"canary\"}, \"sever\": {},\n \"tags\": [\"canary\", 1]}",
        ),
        ("tab.yaml", "server:\n\tworkers: canary"),
        ("broken.toml", "integrations.github.token = 'canary"),
        ("broken.json", "{\"integrations\": {\"github\": {\"token\": \"canary}}}"),
        ("empty.json", ""),
        ("folder.toml/x", "canary"),
        ("canary.ini", "canary"),
    ]);
    fs::write(folder.path("bytes.yaml"), b"tags:\n  - canary\xff").unwrap();
    File::create(folder.path("huge.json")).unwrap().set_len(100 << 20).unwrap();
    let file = |name: &str| (name.to_owned(), folder.loader(name));
    let optional = |name: &str| Loader::<Settings>::new().with_optional_file(folder.path(name));
    let variable = |name: &str| {
        let loader = Loader::<Settings>::new();
        (name.to_owned(), loader.with_environment("APP", variables(&[(name, "canary")])))
    };
    let mut seen = String::new();
    for (what, loader) in [
        file("typo.toml"),
        file("type.toml"),
        file("type.json"),
        file("type.yaml"),
        file("range.toml"),
        file("reference.toml"),
        file("open.toml"),
        file("three.json"),
        file("tab.yaml"),
        file("broken.toml"),
        file("broken.json"),
        file("empty.json"),
        file("bytes.yaml"),
        file("huge.json"),
        ("folder.toml".into(), optional("folder.toml")),
        ("an unknown ending".into(), optional("canary.ini")),
        file("absent.toml"),
        variable("APP_SERVER_WORKERS"),
        variable("APP_SERVER_BIND_ADDRESS"),
        ("--set".into(), Loader::new().with_set("canary").with_set("server.workers=canary")),
    ] {
        let error = loader.load().expect_err(&what).to_string();
        seen += &format!("{what}: {}\n", folder.strip(&error));
    }
    expect![[r#"
        typo.toml: configuration refused, 1 problem:
          typo.toml:2:10: server.worker: unknown key; did you mean `server.workers`?
        type.toml: configuration refused, 1 problem:
          type.toml:2:11: server.workers: expected a whole number from 1 to 100, found a text
        type.json: configuration refused, 1 problem:
          type.json:2:15: server.workers: expected a whole number from 1 to 100, found a text
        type.yaml: configuration refused, 1 problem:
          type.yaml:2:20: server.request_timeout: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
        range.toml: configuration refused, 2 problems:
          range.toml:1:18: server.workers: expected a whole number from 1 to 100
          range.toml:2:16: server.least: expected a whole number from 0 up
        reference.toml: configuration refused, 1 problem:
          reference.toml:1:29: integrations.github.token: expected a reference such as `secret://name:key` or `secret://backend/path:key`
        open.toml: configuration refused, 1 problem:
          open.toml:1:27: integrations.github.url: the brace after `${secret://` is not closed
        three.json: configuration refused, 3 problems:
          three.json:1:23: logging.level: expected one of `debug`, `info`, `warn`
          three.json:1:43: sever: unknown key; did you mean `server`?
          three.json:2:21: tags[1]: expected a text, found a whole number
        tab.yaml: configuration refused, 1 problem:
          tab.yaml:2:2: not valid YAML: tabs disallowed within this context (block indentation)
        broken.toml: configuration refused, 1 problem:
          broken.toml:1:36: not valid TOML: invalid literal string, expected `'`
        broken.json: configuration refused, 1 problem:
          broken.json:1:48: not valid JSON: EOF while parsing a string
        empty.json: configuration refused, 1 problem:
          empty.json:1:1: is empty; expected at least `{}`
        bytes.yaml: configuration refused, 1 problem:
          bytes.yaml: is not UTF-8, at line 2
        huge.json: configuration refused, 1 problem:
          huge.json: is larger than 10 MiB
        folder.toml: configuration refused, 1 problem:
          folder.toml: is a folder where a file should be
        an unknown ending: configuration refused, 1 problem:
          canary.ini: unknown type of file; the name must end in `.toml`, `.json`, `.yaml` or `.yml`
        absent.toml: configuration refused, 1 problem:
          absent.toml: does not exist
        APP_SERVER_WORKERS: configuration refused, 1 problem:
          variable APP_SERVER_WORKERS: server.workers: expected a whole number from 1 to 100
        APP_SERVER_BIND_ADDRESS: configuration refused, 1 problem:
          variable APP_SERVER_BIND_ADDRESS: server.bind_address: expected an address such as `127.0.0.1:8080`
        --set: configuration refused, 2 problems:
          flag --set: expected a key and a value, as in `--set logging.level=debug`
          flag --set server.workers: server.workers: expected a whole number from 1 to 100
    "#]].assert_eq(&seen);
    let shown = seen.replace("canary.ini", "");
    assert!(!shown.contains("canary"), "{shown}");
}
