//! What counts as a change, and what is known of it.

use std::collections::BTreeMap;

use core_config::schemars::{self, JsonSchema};
use core_config::{Key, Live, Loader, Validate};
use serde::{Deserialize, Serialize};

use crate::settings::Folder;

/// An enum whose variants are texts or tables, a union of shapes, and names that no type knows.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Shapes {
    mode: Mode,
    tls: Tls,
    outer: Outer,
    free: serde_json::Value,
    map: Option<BTreeMap<String, u32>>,
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Fast,
    Slow,
    Custom {
        speed: u32,
    },
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum Tls {
    Plain(bool),
    Full { certificate: String },
}

impl Default for Tls {
    fn default() -> Self {
        Self::Plain(false)
    }
}

/// Its default of `inner.depth` is not the one of `Inner`.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Outer {
    inner: Inner,
}

impl Default for Outer {
    fn default() -> Self {
        Self { inner: Inner { depth: 5, width: 1 } }
    }
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Inner {
    depth: u32,
    width: u32,
}

impl Default for Inner {
    fn default() -> Self {
        Self { depth: 1, width: 1 }
    }
}

impl Validate for Shapes {}

/// CFG-6: a change is applied whatever the shape of the type that it is in.
#[test]
fn changes_of_every_shape_are_seen() {
    #[track_caller]
    fn check(before: &str, after: &str, changed: &str) {
        let folder = Folder::new(&[("before.toml", before), ("after.toml", after)]);
        let load = |name| Loader::<Shapes>::new().with_file(folder.path(name)).load().unwrap();
        let live = Live::new(load("before.toml"));
        let applied = live.apply(load("after.toml")).unwrap();
        let keys: Vec<String> = applied.changed.iter().map(ToString::to_string).collect();
        assert_eq!(keys.join(" "), changed, "{before} -> {after}");
        let now = live.get();
        assert_eq!(format!("{:?}", now.settings), format!("{:?}", load("after.toml").settings));
        assert_eq!(now.effective, load("after.toml").effective);
    }
    check("mode = 'fast'", "mode = 'slow'", "mode");
    check("mode = 'fast'", "mode = {custom = {speed = 1}}", "mode mode.custom.speed");
    check("mode = {custom = {speed = 1}}", "mode = {custom = {speed = 2}}", "mode.custom.speed");
    check("tls = false", "tls = true", "tls");
    check("tls = {certificate = 'a'}", "tls = {certificate = 'b'}", "tls.certificate");
    check("x = 'one'", "x = 'two'", "x");
    check("x = 'one'", "", "x");
    check("free = {a = {b = 1}}", "free = {a = {b = 2}}", "free.a");
    check("free = [1]", "free = [1, 2]", "free");
    check("", "map = {}", "map");
    check("", "outer.inner.width = 1", "outer.inner.depth");
    check("outer.inner.depth = 5", "outer.inner = {depth = 5, width = 1}", "");
}

/// CFG-3: an empty table is a setting where nothing is the default, and is none where it is.
#[test]
fn an_empty_table_is_shown() {
    let folder = Folder::new(&[("a.toml", "map = {}\nouter = {}")]);
    let loaded = Loader::<Shapes>::new().with_file(folder.path("a.toml")).load().unwrap();
    let shown = loaded.effective.to_string();
    assert!(shown.contains("map = {}\n") && !shown.contains("outer = "), "{shown}");
}

/// CFG-3: settings that are equal but stand elsewhere are shown where they stand now.
#[test]
fn an_edit_that_moves_lines_moves_origins() {
    let folder = Folder::new(&[("a.toml", "tags = ['x']")]);
    let live = Live::new(folder.loader("a.toml").load().unwrap());
    let origin = || {
        let tags = Key::parse("tags").unwrap();
        folder.strip(&live.get().effective.explain(&tags)[0].to_string())
    };
    assert!(origin().contains("a.toml:1:"), "{}", origin());
    folder.write("a.toml", "\n\ntags = ['x']");
    let applied = live.apply(folder.loader("a.toml").load().unwrap()).unwrap();
    assert_eq!((applied.generation, applied.changed), (1, vec![]));
    assert!(origin().contains("a.toml:3:"), "{}", origin());
    assert_eq!(live.get().number, 1);
}
