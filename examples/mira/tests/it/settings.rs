//! What is written about Mira's settings is made of their types. `UPDATE_EXPECT=1 cargo test`
//! writes it anew.

use core_app::Settings as All;
use core_app::config::{Catalog, Loader};
use expect_test::expect_file;
use mira::Settings;

const PAGE: &str = "# Settings

Every setting of Mira, the host's and its own; another service has the host's, under its own prefix.
Made of the settings' types, as `mira --print-example` is; `mira --explain KEY` tells where a value
comes from. See [configuration](../configuration.md) for sources and names.

";

/// CFG-5: the example file and the page of all settings are those of the types.
#[test]
fn all_settings_are_written_down() {
    let catalog = Catalog::of::<All<Settings>>("MIRA");
    expect_file!["../../config.example.toml"].assert_eq(&catalog.to_example());
    expect_file!["../../../../docs/reference/settings.md"]
        .assert_eq(&(PAGE.to_owned() + &catalog.to_markdown()));
    let silent: Vec<String> = catalog
        .iter()
        .filter(|entry| {
            !entry.description.contains("Default") && !entry.description.contains("default")
        })
        .map(|entry| entry.key.to_string())
        .collect();
    assert!(silent.is_empty(), "no word about the default of {silent:?}");
}

/// CFG-5: what the example says is the default, is; as it stands, it changes nothing.
#[test]
fn the_example_is_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("example.toml");
    let example = Catalog::of::<All<Settings>>("MIRA").to_example();
    let is_setting = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    let set: Vec<&str> =
        example.lines().map(|line| if is_setting(line) { &line[1..] } else { line }).collect();
    let defaults = Loader::<All<Settings>>::new().load().unwrap();
    for text in [&example, &set.join("\n")] {
        std::fs::write(&path, text).unwrap();
        let loaded = Loader::<All<Settings>>::new().with_file(&path).load().unwrap();
        assert_eq!(loaded.effective.to_string(), defaults.effective.to_string());
    }
    assert!(set.len() > 100, "{}", set.len());
}
