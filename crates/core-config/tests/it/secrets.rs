//! What must never be seen, wherever in the settings it stands.

use std::collections::BTreeMap;

use core_config::schemars::{self, JsonSchema};
use core_config::{Loader, Settings, Validate};
use core_types::Secret;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::settings::Folder;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Hidden {
    pair: Vec<(String, Secret<String>)>,
    by_port: BTreeMap<u16, Secret<String>>,
    bytes: Option<Secret<Vec<u8>>>,
    number: Option<Secret<u64>>,
    list: Vec<Secret<String>>,
    map: BTreeMap<String, Secret<String>>,
    structs: Vec<Pin>,
    auth: Option<Auth>,
    headers: BTreeMap<String, String>,
    free: serde_json::Value,
    url: String,
    #[serde(deserialize_with = "picky")]
    picky: String,
    #[serde(deserialize_with = "picky")]
    api_token: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct Pin {
    pin: Option<Secret<String>>,
    #[serde(rename = "privateKey")]
    private_key: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[expect(dead_code, reason = "only what is shown of it matters")]
enum Auth {
    Named { value: String },
    Key { value: Secret<String> },
}

impl Validate for Hidden {}

/// A type whose error quotes a part of what was written.
fn picky<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_err() => {
            Err(D::Error::custom(format!("invalid port, expected no {port:?}")))
        }
        _ => Ok(text),
    }
}

const TEXT: &str = r#"{
    "pair": [["shown", "canary-1"]], "by_port": {"80": "canary-2"}, "bytes": [99, 97],
    "number": 424242, "list": ["canary-3"], "map": {"x": "canary-4"},
    "structs": [{"pin": "canary-5", "privateKey": "canary"}],
    "auth": {"type": "key", "value": "canary-6"},
    "headers": {"authorization": "Bearer canary", "x-api-key": "canary", "accept": "shown"},
    "free": {"password": 424242, "credentials": {"user": "canary"}, "list": [{"token": "canary"}]},
    "url": "nats://a:canary@h,nats://b:${secret://b:password}canary@h"
}"#;

/// CFG-4: no dump shows a secret: in tuples, lists, maps with numbers for names, later variants,
/// by name, in addresses.
#[test]
fn no_dump_shows_a_secret() {
    let folder = Folder::new(&[
        ("a.json", TEXT),
        ("b.toml", "list = []\nurl = ''\nbytes = []\nheaders = {x-api-key = ''}"),
    ]);
    let loader = || Loader::<Hidden>::new().with_file(folder.path("a.json"));
    // In the end what is overridden is shown, too.
    for loader in [loader(), loader().with_file(folder.path("b.toml"))] {
        let draft = loader.read().unwrap();
        let mut shown = format!("{draft:?}");
        let loaded = draft.build(|_| Ok("canary-7".into())).unwrap();
        let effective = &loaded.effective;
        shown += &format!("{}{effective}{effective:?}", effective.to_toml());
        shown.extend(effective.explain(&core_config::Key::root()).iter().map(ToString::to_string));
        for secret in ["canary", "424242", "[99"] {
            assert!(!shown.contains(secret), "{secret}\n{shown}");
        }
        assert!(shown.matches("[REDACTED]").count() > 40, "{shown}");
        assert!(shown.contains("\"shown\""), "{shown}");
    }
}

/// CFG-4: who looks for secrets is told all of them.
#[test]
fn every_secret_is_known() {
    let folder = Folder::new(&[("a.json", TEXT)]);
    let draft = Loader::<Hidden>::new().with_file(folder.path("a.json")).read().unwrap();
    let loaded = draft.build(|_| Ok("canary-7".into())).unwrap();
    let mut known: Vec<&str> =
        loaded.secrets.iter().map(|secret| secret.expose().as_str()).collect();
    known.sort_unstable();
    let url = "nats://a:canary@h,nats://b:canary-7canary@h";
    let expected = ["canary-1", "canary-2", "canary-3", "canary-4", "canary-5", "canary-6", url];
    assert_eq!(known, expected);
}

/// CFG-4: an error in a type's own words is told only if they hold nothing of what was written.
#[test]
fn no_error_quotes_a_part_of_a_value() {
    for text in
        ["picky = 'me:canary'", "picky = 'me:can\"ary'", "map = {x = 424242}", "bytes = 'canary'"]
    {
        let folder = Folder::new(&[("a.toml", text)]);
        let error = Loader::<Hidden>::new().with_file(folder.path("a.toml")).load().unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !["canary", "can\\\"ary", "424242"].iter().any(|part| shown.contains(part)),
            "{shown}"
        );
        assert!(shown.contains("expected a "), "{shown}");
    }
    // Of a secret, not even the shortest part is told: one by its name, or, whatever the type says,
    // what a reference stands for.
    let folder = Folder::new(&[("a.toml", "api_token = 'x:cry'")]);
    let error = Loader::<Hidden>::new().with_file(folder.path("a.toml")).load().unwrap_err();
    assert!(error.to_string().ends_with("api_token: expected a text"), "{error}");
    let folder = Folder::new(&[("a.toml", "picky = '${secret://a:b}'")]);
    let draft = Loader::<Hidden>::new().with_file(folder.path("a.toml")).read().unwrap();
    let error = draft.build(|_| Ok("x:cry".into())).unwrap_err().to_string();
    assert!(error.ends_with("a.toml:1:9: picky: expected a text"), "{error}");

    let error = <Hidden as Settings>::read(&serde_json::json!({"picky": "x:canary"})).unwrap_err();
    assert_eq!(format!("{error:?}"), "ReadError { key: picky, .. }");
}
