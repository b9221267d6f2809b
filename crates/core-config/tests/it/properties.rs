//! What holds whatever is written.

use core_config::{Catalog, Loader};
use proptest::prelude::*;

use crate::settings::{Folder, Settings, variables};

/// Texts that a parser may trip over: its own signs, letters, and anything.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z.=\"'\\[\\]{}$:/@#&, \\\\-]{0,24}",
        "\\PC{0,12}",
        "(\\$\\{)?secret://[a-z/:}]{0,12}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// CFG-2: the variable of a key reaches that key, with one underscore between levels or two.
    #[test]
    fn variables_reach_their_keys(at in any::<prop::sample::Index>(), is_double: bool) {
        let catalog = Catalog::of::<Settings>("APP");
        let entries: Vec<_> = catalog.iter().collect();
        let entry = entries[at.index(entries.len())];
        let key = entry.key.to_string();
        let (name, value) = if key == "labels" { ("APP_LABELS_X".to_owned(), "x") } else {
            let double = format!("APP_{}", key.to_uppercase().replace('.', "__"));
            let name = if is_double { double } else { entry.variables[0].clone() };
            (name, match &*key {
                "server.bind_address" => "1.1.1.1:1",
                "logging.level" => "warn",
                "logging.json_format" | "integrations.github.enabled" => "true",
                _ => "2",
            })
        };
        let loader = Loader::<Settings>::new().with_environment("APP", variables(&[(&name, value)]));
        let effective = loader.load().unwrap().effective;
        let set: Vec<String> = effective
            .iter()
            .filter(|setting| setting.origin.to_string() == format!("variable {name}"))
            .map(|setting| setting.key.to_string())
            .collect();
        prop_assert_eq!(set, [if key == "labels" { "labels.x".into() } else { key }]);
    }

    /// CFG-1: what `--set` says of a text arrives as it stands.
    #[test]
    fn a_set_text_arrives(name in "[a-z0-9_-]{1,8}", value in "\\PC{0,20}") {
        prop_assume!(!value.contains("secret://"));
        let loader = Loader::<Settings>::new().with_set(format!("labels.{name}={value}"));
        prop_assert_eq!(&loader.load().unwrap().settings.labels[&name], &value);
    }

    /// CFG-4: nothing that is written makes the reading panic, or shows in an error what stands
    /// where a secret belongs.
    #[test]
    fn no_text_makes_it_panic(name in odd(), value in odd()) {
        let secret = format!("{value}canary");
        let folder = Folder::new(&[
            (".env", &format!("{name}={value}\nAPP_INTEGRATIONS_GITHUB_TOKEN={secret}")),
            ("keys/tags", &value),
        ]);
        let loader = Loader::<Settings>::new()
            .with_key_folder(folder.path("keys"))
            .with_dot_env(folder.path(".env"))
            .with_environment("APP", variables(&[("APP_SERVER_BIND_ADDRESS", &secret), (&format!("APP_{name}"), &value)]))
            .with_set(format!("{name}={value}"))
            .with_set(&*value);
        if let Err(error) = loader.load() {
            prop_assert!(!error.to_string().contains("canary"), "{}", error);
        }
    }

    /// CFG-1: no file of any notation makes the reading panic.
    #[test]
    fn no_file_makes_it_panic(lines in prop::collection::vec(odd(), 0..6)) {
        let text = lines.join("\n");
        for name in ["a.toml", "a.json", "a.yaml"] {
            let _ = Folder::new(&[(name, &text)]).loader(name).load();
        }
    }
}
