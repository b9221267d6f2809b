use core_config::{Error, Loader};
use expect_test::{Expect, expect};

use crate::settings::{Folder, Settings, variables};

/// CFG-4: what a person sees.
#[track_caller]
fn check(files: &[(&str, &str)], expected: &Expect) {
    let folder = Folder::new(files);
    let error = folder.loader(files[0].0).load().expect_err("a mistake");
    expected.assert_eq(&folder.strip(&error.to_string()));
}

#[test]
fn a_mistyped_key() {
    let text =
        "[server]\nworker = 3\n[loging]\nlevel = 'info'\n[logging]\nbind_address = 'x'\nzzz = 1";
    check(
        &[("a.toml", text)],
        &expect![[r#"
            configuration refused, 4 problems:
              a.toml:2:10: server.worker: unknown key; did you mean `server.workers`?
              a.toml:3:2: loging: unknown key; did you mean `logging`?
              a.toml:6:16: logging.bind_address: unknown key; did you mean `server.bind_address`?
              a.toml:7:7: logging.zzz: unknown key"#]],
    );
}

#[test]
fn a_wrong_type_in_each_notation() {
    let expected = |at: &str| {
        format!(
            "configuration refused, 1 problem:\n  {at}: server.workers: expected a whole number from 1 to 100, found a text"
        )
    };
    for (file, at) in [
        (("a.toml", "[server]\nworkers = 'four'"), "a.toml:2:11"),
        (("a.json", "{\"server\":\n  {\"workers\": \"four\"}}"), "a.json:2:15"),
        (("a.yaml", "server:\n  workers: four"), "a.yaml:2:12"),
    ] {
        let folder = Folder::new(&[file]);
        let error = folder.loader(file.0).load().unwrap_err();
        assert_eq!(folder.strip(&error.to_string()), expected(at));
    }
}

#[test]
fn several_mistakes_at_once() {
    let text = r#"{
  "server": {"bind_address": "canary", "request_timeout": "canary", "workers": 101, "body_limit": true},
  "logging": {"level": "canary", "json_format": "canary"},
  "labels": {"a": 1}, "tags": ["ok", 1, 2],
  "integrations": {"github": {"token": ["canary"]}}
}"#;
    check(
        &[("a.json", text)],
        &expect![[r#"
            configuration refused, 10 problems:
              a.json:2:30: server.bind_address: expected an address such as `127.0.0.1:8080`
              a.json:2:59: server.request_timeout: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.json:2:80: server.workers: expected a whole number from 1 to 100
              a.json:2:99: server.body_limit: expected a size such as `10MiB`, or a number of bytes, found `true` or `false`
              a.json:3:24: logging.level: expected one of `debug`, `info`, `warn`
              a.json:3:49: logging.json_format: expected `true` or `false`, found a text
              a.json:4:19: labels.a: expected a text, found a whole number
              a.json:4:38: tags[1]: expected a text, found a whole number
              a.json:4:41: tags[2]: expected a text, found a whole number
              a.json:5:40: integrations.github.token: expected a text, found a list"#]],
    );
}

#[test]
fn a_rule_of_the_type() {
    check(
        &[("a.toml", "server.least = 5\nserver.most = 4")],
        &expect![[r#"
            configuration refused, 1 problem:
              a.toml:1:16: server.least: must not exceed `server.most`"#]],
    );
}

#[test]
fn variables_and_flags_are_named() {
    let loader = Loader::<Settings>::new()
        .with_environment(
            "APP",
            variables(&[
                ("APP_SERVER_WORKERS", "canary"),
                ("APP_SERVER_REQUEST_TIMEOUT", "canary"),
            ]),
        )
        .with_set("server.most=canary")
        .with_set("sever.most=1")
        .with_set("canary");
    expect![[r#"
        configuration refused, 5 problems:
          variable APP_SERVER_REQUEST_TIMEOUT: server.request_timeout: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
          variable APP_SERVER_WORKERS: server.workers: expected a whole number from 1 to 100
          flag --set: expected a key and a value, such as `server.port=80`
          flag --set server.most: server.most: expected a whole number from 0 up
          flag --set sever.most: sever: unknown key; did you mean `server`?"#]]
    .assert_eq(&loader.load().unwrap_err().to_string());
}

#[test]
fn files_that_are_none() {
    for (name, text, expected) in [
        ("a.toml", "a = ", "a.toml:1:5: not valid TOML: "),
        ("a.toml", "a = 1\na = 2", "a.toml:2:1: not valid TOML: duplicate key"),
        ("a.toml", "a = nan", "a.toml:1:5: the number is not finite"),
        ("a.json", "", "a.json:1:1: is empty; expected at least `{}`"),
        ("a.json", "[]", "a.json: expected a table of settings"),
        ("a.json", "{\"a\": 1,\n}", "a.json:2:1: not valid JSON: key must be a string"),
        ("a.json", "{\"a\": 1, \"a\": 2}", "a.json:1:15: the key `a` stands here twice"),
        ("a.yaml", "a:\n\t- 1", "a.yaml:2:2: not valid YAML: tabs disallowed"),
        ("a.yaml", "a: 1\na: 2", "a.yaml:2:1: the key `a` stands here twice"),
        ("a.yaml", "a: 1\n---\nb: 1", "a.yaml:3:1: expected a single document"),
        ("a.yaml", "- 1", "a.yaml: expected a table of settings"),
        ("a.txt", "a", "a.txt: unknown type of file; the name must end in `.toml`"),
    ] {
        let folder = Folder::new(&[(name, text)]);
        let error = folder.strip(&folder.loader(name).load().unwrap_err().to_string());
        let problem = error.lines().nth(1).unwrap_or_default().trim();
        assert!(problem.starts_with(expected), "{name} {text:?}\n{problem}\n{expected}");
    }
    // Nothing at all is valid TOML and YAML.
    for name in ["a.toml", "a.yaml"] {
        assert!(Folder::new(&[(name, "")]).loader(name).load().is_ok());
    }
}

#[test]
fn bytes_that_are_no_text() {
    let folder = Folder::new(&[]);
    std::fs::write(folder.path("a.toml"), b"a = 1\nb = '\xff canary'").unwrap();
    let error = folder.loader("a.toml").load().unwrap_err();
    let expected = "configuration refused, 1 problem:\n  a.toml: is not UTF-8, at line 2";
    assert_eq!(folder.strip(&error.to_string()), expected);

    let file = std::fs::File::create(folder.path("b.toml")).unwrap();
    file.set_len(100 << 20).unwrap();
    let error = folder.loader("b.toml").load().unwrap_err();
    let expected = "configuration refused, 1 problem:\n  b.toml: is larger than 10 MiB";
    assert_eq!(folder.strip(&error.to_string()), expected);
}

/// CFG-4: whatever is wrong with it, no error shows what was written.
#[test]
fn no_error_shows_a_value() {
    let bodies = [
        "{k} = 'canary'",
        "{k} = canary",
        "{k} = 'canary",
        "{k} = ['canary']",
        "{k} = {canary = 1}",
        "'{k}' = \"canary\\q\"",
        "{k} = 'canary' canary",
        "[[{k}]]\nx = 'canary'",
    ];
    let keys = [
        "server.bind_address",
        "server.workers",
        "logging.level",
        "logging.json_format",
        "integrations.github.token",
        "integrations.github",
        "integrations",
        "labels",
        "tags",
        "server.request_timeout",
        "server.body_limit",
        "unknown",
    ];
    let mut refused = 0;
    for body in bodies {
        for key in keys {
            let toml = body.replace("{k}", key);
            let dotted = key.replace('.', "\":{\"");
            let closing = "}".repeat(key.matches('.').count());
            let json =
                format!("{{\"{dotted}\": {}{closing}}}", body.split_once('=').map_or("1", |b| b.1));
            let json = json.replace('\'', "\"");
            let yaml = toml.replace(" =", ":");
            for (name, text) in [("a.toml", toml), ("a.json", json), ("a.yaml", yaml)] {
                let folder = Folder::new(&[(name, &text)]);
                let Err(error) = folder.loader(name).load() else { continue };
                refused += 1;
                // A mistyped name of a key is shown, for it is the key; here it is `canary` itself.
                let names_it = text.contains("canary = 1") || text.contains("canary: 1");
                let shown = format!("{error} {error:?}");
                assert!(names_it || !shown.contains("canary"), "{text}\n{shown}");
                assert!(matches!(error, Error::Refused { .. }));
            }
        }
    }
    assert!(refused > 150, "{refused}");
}
