use core_types::{Secret, SecretRef};

use crate::settings::Folder;

const TEXT: &str = r#"{"integrations": {"github": {
    "token": "secret://github-credentials:token",
    "url": "https://me:${secret://github-credentials:password}@host"}}}"#;

/// CFG-10: references become values, and the dump shows the references.
#[test]
fn references_are_resolved_and_shown_as_such() {
    let folder = Folder::new(&[("a.json", TEXT)]);
    let draft = folder.loader("a.json").read().unwrap();
    assert_eq!(draft.references().len(), 2);
    let resolve =
        |target: &SecretRef| Ok(Secret::from(format!("canary-{}", target.key().unwrap()).as_str()));
    let loaded = draft.build(resolve).unwrap();
    let github = &loaded.settings.integrations.github;
    assert_eq!(github.token.as_ref().unwrap().expose(), "canary-token");
    assert_eq!(github.url, "https://me:canary-password@host");
    let secrets: Vec<&str> = loaded.secrets.iter().map(|secret| secret.expose().as_str()).collect();
    assert_eq!(secrets, ["canary-token", "https://me:canary-password@host"]);
    let dump = loaded.effective.to_toml();
    assert!(!dump.contains("canary"), "{dump}");
    assert!(dump.contains("\"secret://github-credentials:token\""), "{dump}");
}

/// CFG-10: a rotated secret changes its keys and no other.
#[test]
fn a_rotation_is_a_change_of_the_keys_that_refer() {
    let folder = Folder::new(&[("a.json", TEXT)]);
    let build = |value: &'static str| {
        folder
            .loader("a.json")
            .read()
            .unwrap()
            .build(|_| Ok(Secret::from(value)))
            .unwrap()
            .effective
    };
    let changed: Vec<String> =
        build("old").changed(&build("new")).iter().map(ToString::to_string).collect();
    assert_eq!(changed, ["integrations.github.token", "integrations.github.url"]);
    assert_eq!(build("old").changed(&build("old")), []);
    assert_eq!(build("old").hash(), build("new").hash(), "a hash that tells secrets apart");
}

/// CFG-10: each place is asked for once; what stands for a secret that is missing is no mistake of
/// its own.
#[test]
fn each_reference_is_resolved_once() {
    let text = r#"{"integrations": {"github": {"url": "${secret://a:b}-${secret://c:d}"}}}"#;
    let folder = Folder::new(&[("a.json", text)]);
    let asked = std::cell::Cell::new(0);
    let resolve = |_: &SecretRef| {
        asked.set(asked.get() + 1);
        Ok(Secret::from("${secret://canary:canary}"))
    };
    folder.loader("a.json").read().unwrap().build(resolve).unwrap();
    assert_eq!(asked.get(), 2);

    let text = r#"{"server": {"request_timeout": "secret://a:b"}}"#;
    let folder = Folder::new(&[("a.json", text)]);
    let draft = folder.loader("a.json").read().unwrap();
    assert_eq!(draft.build(|_| Err("it is gone".into())).unwrap_err().problems().len(), 1);
}

/// CFG-10: an unresolved reference names itself and its place, beside all other mistakes.
#[test]
fn an_unresolved_reference_is_named() {
    let text =
        TEXT.replace("{\"integrations\"", "{\"server\": {\"workers\": \"x\"}, \"integrations\"");
    let folder = Folder::new(&[("a.json", &text)]);
    let draft = folder.loader("a.json").read().unwrap();
    let error = draft.build(|_| Err("the backend `env` has no such variable".into())).unwrap_err();
    expect_test::expect![[r#"
        configuration refused, 3 problems:
          a.json:1:24: server.workers: expected a whole number from 1 to 100, found a text
          a.json:2:14: integrations.github.token: secret://github-credentials:token cannot be resolved: the backend `env` has no such variable
          a.json:3:12: integrations.github.url: secret://github-credentials:password cannot be resolved: the backend `env` has no such variable"#]]
    .assert_eq(&folder.strip(&error.to_string()));

    let folder = Folder::new(&[("a.json", r#"{"tags": ["secret://"]}"#)]);
    let error = folder.loader("a.json").read().unwrap_err();
    assert!(
        error.to_string().contains("a.json:1:11: tags[0]: expected a reference such as"),
        "{error}"
    );
}
