//! Settings whose types are more than tables of plain values.

use std::collections::BTreeMap;

use core_config::schemars::{self, JsonSchema};
use core_config::{Key, Loader, Problems, Validate};
use core_types::Duration;
use expect_test::{Expect, expect};
use serde::{Deserialize, Serialize};

use crate::settings::{Folder, variables};

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Shapes {
    store: Option<Store>,
    mode: Mode,
    list: Vec<Wait>,
    pair: Option<(Duration, Duration)>,
    labels: BTreeMap<String, String>,
    least: u32,
    most: u32,
    text: String,
    big: u64,
    next: Option<Box<Shapes>>,
    #[serde(flatten)]
    flat: Flat,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Store {
    Disk {
        limit: u32,
    },
    Cloud {
        limit: String,
    },
    Tape {
        speed: Duration,
    },
    Paper {
        #[serde(default)]
        wait: Duration,
    },
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Fast,
    Custom {
        wait: Duration,
    },
    Other {
        n: u8,
    },
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
struct Wait {
    name: String,
    wait: Duration,
}

#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Flat {
    z_wait: Duration,
    z_number: Option<u8>,
}

impl Validate for Shapes {
    fn validate(&self, problems: &mut Problems) {
        problems.require(self.least <= self.most, "least", "must not exceed `most`");
        problems.require(!self.labels.contains_key("bad"), "labels.bad", "is no label");
    }
}

fn loader(folder: &Folder, name: &str) -> Loader<Shapes> {
    Loader::new().with_file(folder.path(name))
}

/// CFG-5: a variant is checked as itself, not as the others of its enum.
#[test]
fn variants_are_read_each_by_its_own_names() {
    let folder = Folder::new(&[(
        "a.toml",
        "mode = {custom = {wait = '1s'}}\n[store]\ntype = 'cloud'\nlimit = 'x'",
    )]);
    let settings = loader(&folder, "a.toml").load().unwrap().settings;
    assert_eq!(settings.store, Some(Store::Cloud { limit: "x".into() }));
    assert_eq!(settings.mode, Mode::Custom { wait: Duration::from_secs(1) });
    let variables =
        variables(&[("APP_MODE", r#"{"custom": {"wait": 2}}"#), ("APP_PAIR", "1s, 2s")]);
    let settings =
        Loader::<Shapes>::new().with_environment("APP", variables).load().unwrap().settings;
    assert_eq!(settings.mode, Mode::Custom { wait: Duration::from_secs(2) });
    assert_eq!(settings.pair.unwrap().1, Duration::from_secs(2));
}

#[track_caller]
fn check(text: &str, expected: &Expect) {
    let folder = Folder::new(&[("a.toml", text)]);
    let error = loader(&folder, "a.toml").load().expect_err("a mistake");
    expected.assert_eq(&folder.strip(&error.to_string()));
}

/// CFG-4: all mistakes at once, each at its own place: in variants, lists, tuples, flattened parts,
/// and beside a malformed reference.
#[test]
fn mistakes_are_told_at_once_in_every_shape() {
    check(
        "mode = {custom = {wait = 'canary'}}\npair = ['1s', 'canary']\nz_wait = 'canary'\nz_number = 256\n\
         text = 'secret://'\nzzz = 1\n[store]\ntype = 'disk'\nlimt = 1\n\
         [[list]]\nname = 'a'\nwait = 'canary'\n[[list]]\nname = 'b'\nwait = '1s'\n[[list]]\nname = 1\nwait = 'canary'\n\
         [[list]]\nname = 'd'\nwait = 'canary'",
        &expect![[r#"
            configuration refused, 14 problems:
              a.toml:1:26: mode.custom.wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.toml:2:15: pair[1]: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.toml:3:10: z_wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.toml:4:12: z_number: expected a whole number from 0 to 255
              a.toml:5:8: text: expected a reference such as `secret://name:key` or `secret://backend/path:key`
              a.toml:6:7: zzz: unknown key
              a.toml:9:8: store.limt: unknown key; did you mean `store.limit`?
              a.toml:11:8: list[0].name: expected a text
              a.toml:12:8: list[0].wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.toml:17:8: list[2].name: expected a text, found a whole number
              a.toml:18:8: list[2].wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              a.toml:20:8: list[3].name: expected a text
              a.toml:21:8: list[3].wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds
              store.limit: missing; expected a whole number from 0 up"#]],
    );
    // In a tagged variant the member at fault is told, where it can be known.
    check(
        "store = {type = 'tape', speed = 'canary'}",
        &expect![[r#"
            configuration refused, 1 problem:
              a.toml:1:33: store.speed: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds"#]],
    );
    check(
        "store = {type = 'paper', wait = 'canary'}",
        &expect![[r#"
        configuration refused, 1 problem:
          a.toml:1:33: store.wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds"#]],
    );
    check(
        "mode = 'custom'",
        &expect![[r#"
            configuration refused, 1 problem:
              a.toml:1:8: mode: expected a table"#]],
    );
    check(
        "mode = {custom = {wait = '1s'}, extra = 1}",
        &expect![[r#"
        configuration refused, 1 problem:
          a.toml:1:41: mode.extra: unknown key"#]],
    );
    check(
        "labels = {bad = ''}\nz_wait = 'canary'",
        &expect![[r#"
        configuration refused, 2 problems:
          a.toml:1:17: labels.bad: is no label
          a.toml:2:10: z_wait: expected a duration such as `30s`, `5m` or `1h 30m`, or a number of seconds"#]],
    );
    // A rule is not broken by what stands in for a wrong value.
    check(
        "least = 5\nmost = 'x'",
        &expect![[r#"
        configuration refused, 1 problem:
          a.toml:2:8: most: expected a whole number from 0 up, found a text"#]],
    );
    check(
        "least = 5\nmost = 4\nzzz = 1",
        &expect![[r#"
        configuration refused, 2 problems:
          a.toml:1:9: least: must not exceed `most`
          a.toml:3:7: zzz: unknown key"#]],
    );
}

/// CFG-4: where there are too many mistakes, that is said.
#[test]
fn a_hundred_mistakes_are_enough() {
    let text: String = (0..150).map(|n| format!("zzzzz{n} = 1\n")).collect();
    let folder = Folder::new(&[("a.toml", &text)]);
    let error = loader(&folder, "a.toml").load().unwrap_err();
    assert_eq!(error.problems().len(), 101);
    assert_eq!(error.problems()[100].to_string(), "there are more mistakes than these 100");
}

/// A section that is read ahead as another type tells where it fails, though the whole does not.
#[test]
fn a_section_says_what_is_wrong() {
    #[derive(Debug, Default, Deserialize)]
    struct Labels {
        #[expect(dead_code, reason = "it is never read")]
        team: u8,
    }
    let folder = Folder::new(&[("a.toml", "labels = {team = 'canary'}")]);
    let draft = loader(&folder, "a.toml").read().unwrap();
    let error = folder.strip(&draft.section::<Labels>("labels").unwrap_err().to_string());
    assert!(error.ends_with("a.toml:1:18: labels.team: expected another value"), "{error}");
}

/// CFG-3: the dump is TOML again, whatever the names, and a part of a list is explained.
#[test]
fn any_name_is_dumped_and_explained() {
    let text = r#"{"labels": {"app.kubernetes.io/name": "x", "a b": "y\u007f", "\"": ""}, "big": 18446744073709551615,
        "list": [{"name": "a", "wait": 1}], "text": "\u0000"}"#;
    let folder = Folder::new(&[("a.json", text)]);
    let first = loader(&folder, "a.json").load().unwrap();
    folder.write("b.toml", &first.effective.to_toml());
    let again = loader(&folder, "b.toml").load().unwrap();
    assert_eq!(format!("{:?}", first.settings), format!("{:?}", again.settings));
    let explained = |key: &str| {
        let known = first.effective.explain(&Key::parse(key).unwrap());
        known.iter().map(|known| folder.strip(&known.to_string())).collect::<String>()
    };
    let expected = "labels.\"app.kubernetes.io/name\" = \"x\"\n  from a.json:1:39\n";
    assert_eq!(explained("labels.\"app.kubernetes.io/name\""), expected);
    for key in ["list", "list[0]", "list[0].name"] {
        assert!(explained(key).starts_with("list = [{"), "{key}: {}", explained(key));
    }
    assert_eq!(explained("big.below"), "");
}
