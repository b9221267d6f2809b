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

/// A name that is missing is told, unless it may be in the source that could not be read; a name
/// that is known in two places is not guessed.
#[test]
fn what_is_missing() {
    #[derive(Debug, serde::Deserialize, core_config::schemars::JsonSchema)]
    #[schemars(crate = "core_config::schemars")]
    #[expect(dead_code, reason = "it is never read")]
    struct Needy {
        name: String,
        #[serde(default)]
        a: Part,
        #[serde(default)]
        b: Part,
    }
    #[derive(Debug, Default, serde::Deserialize, core_config::schemars::JsonSchema)]
    #[schemars(crate = "core_config::schemars")]
    #[expect(dead_code, reason = "it is never read")]
    struct Part {
        part: String,
    }
    impl core_config::Validate for Needy {}

    let folder = Folder::new(&[("a.toml", "part = 1\na.part = ''\nb.part = ''"), ("b.json", "{")]);
    let loader = Loader::<Needy>::new().with_file(folder.path("a.toml"));
    let error = folder.strip(&loader.load().unwrap_err().to_string());
    expect![[r#"
        configuration refused, 2 problems:
          a.toml:1:8: part: unknown key
          name: missing; expected a text"#]]
    .assert_eq(&error);
    let error =
        folder.strip(&loader.with_file(folder.path("b.json")).load().unwrap_err().to_string());
    expect![[r#"
        configuration refused, 2 problems:
          a.toml:1:8: part: unknown key
          b.json:1:1: not valid JSON: EOF while parsing an object"#]]
    .assert_eq(&error);
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
        .with_set("canary")
        .with_set("tags[0]=canary");
    expect![[r#"
        configuration refused, 6 problems:
          variable APP_SERVER_REQUEST_TIMEOUT: server.request_timeout: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
          variable APP_SERVER_WORKERS: server.workers: expected a whole number from 1 to 100
          flag --set: expected a key and a value, as in `--set logging.level=debug`
          flag --set: expected a key and a value, as in `--set logging.level=debug`
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
        ("a.json", "{\"a\":\n\n  1e999}", "a.json:3:7: not valid JSON: number out of range"),
        (
            "a.json",
            "{\"a\":\n\"\\ud800\"}",
            "a.json:2:8: not valid JSON: unexpected end of hex escape",
        ),
        ("a.json", "{\"é\": \"é\", x}", "a.json:1:12: not valid JSON: key must be a string"),
        ("a.yaml", "a: !include b", "a.yaml:1:4: tags other than `!!str` are not understood"),
        ("a.yaml", "a: !!int '5'", "a.yaml:1:4: tags other than `!!str` are not understood"),
        ("a.yaml", "a: !x/str 5", "a.yaml:1:4: tags other than `!!str` are not understood"),
        ("a.yaml", "a: !x [5]", "a.yaml:1:4: tags other than `!!str` are not understood"),
        ("a.yaml", "a: !x {b: 5}", "a.yaml:1:4: tags other than `!!str` are not understood"),
        ("a.yaml", "a: &a {b: 1}\nc:\n  <<: *a", "a.yaml:3:3: merging with `<<` is not understood"),
        ("a.yaml", "- 1", "a.yaml: expected a table of settings"),
        ("a.txt", "a", "a.txt: unknown type of file; the name must end in `.toml`"),
    ] {
        let folder = Folder::new(&[(name, text)]);
        let error = folder.strip(&folder.loader(name).load().unwrap_err().to_string());
        let problem = error.lines().nth(1).unwrap_or_default().trim();
        assert!(problem.starts_with(expected), "{name} {text:?}\n{problem}\n{expected}");
    }
    // The order of bytes may be marked, and a text may be tagged as one.
    for (name, text) in [
        ("a.json", "\u{feff}{\"tags\": [\"5\"]}"),
        ("a.toml", "\u{feff}tags = ['5']"),
        ("a.yaml", "\u{feff}tags: [!!str 5, yes]"),
    ] {
        let tags = Folder::new(&[(name, text)]).loader(name).load().unwrap().settings.tags;
        assert_eq!(tags[0], "5");
    }
    // Nothing at all is valid TOML and YAML.
    for name in ["a.toml", "a.yaml"] {
        assert!(Folder::new(&[(name, "")]).loader(name).load().is_ok());
    }
}

/// A small file can neither exhaust the stack nor the memory, whatever it nests or repeats.
#[test]
fn nesting_has_an_end() {
    let deep = |open: &str, close: &str| open.repeat(70) + "1" + &close.repeat(70);
    let mut steps = String::from("x:\n  - &a0 1\n");
    let mut doubles = steps.clone();
    for n in 1..=50 {
        steps += &format!("  - &a{n} {}*a{}{}\n", "[".repeat(58), n - 1, " ]".repeat(58));
        doubles += &format!("  - &a{n} [*a{p}, *a{p}]\n", p = n - 1);
    }
    for (name, text, expected) in [
        ("a.toml", format!("x = {}", "[".repeat(100_000)), "recursion depth"),
        ("a.json", deep("{\"x\":", "}"), "is nested too deeply"),
        ("a.json", format!("{{\"x\":{}", "[".repeat(100_000)), "EOF while parsing"),
        ("a.yaml", format!("x: {}", deep("[", "]")), "is nested too deeply"),
        ("a.yaml", steps, "is nested too deeply"),
        ("a.yaml", doubles, "has too many parts"),
    ] {
        let folder = Folder::new(&[(name, &text)]);
        let error = folder.loader(name).load().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
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
