//! SEC-6: a canary goes through everything, and is seen nowhere.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use core_secrets::backend::{Environment, Files};
use core_secrets::{BackendError, Config, GetOptions, SecretData, Secrets};
use core_types::Secret;

use crate::support::{Folder, Script, down, observed, value, with_config};

/// Everything that the crate says anywhere, in one text.
#[derive(Default)]
struct Said(String);

impl Said {
    fn debug(&mut self, value: &dyn std::fmt::Debug) {
        write!(self.0, "{value:?}\n{value:#?}\n").unwrap();
    }

    fn error(&mut self, error: &(dyn StdError + 'static)) {
        self.debug(&error);
        let mut next = Some(error);
        while let Some(error) = next {
            writeln!(self.0, "{error}").unwrap();
            next = error.source();
        }
    }
}

/// SEC-6: no error, debug output, event or status shows a value.
#[tokio::test(start_paused = true)]
async fn the_canary_is_never_seen() {
    let canary = format!("canary{:016x}", RandomState::new().hash_one(()));
    let mut said = Said::default();

    let script = {
        let canary = canary.clone();
        Script::new(move |call, path, key| match (path, call) {
            ("gone", _) => Err(BackendError::not_found("no such secret")),
            ("denied", _) => Err(BackendError::denied("403")),
            ("several", _) => {
                let value = |text| Secret::new(format!("{canary}{text}"));
                Ok(SecretData::new().with(Some("a"), value("a")).with(Some("b"), value("b")))
            }
            ("other-key", _) => Ok(value(Some("not-the-one"), &canary)),
            ("panics", _) => panic!("on purpose"),
            (_, 0 | 1) => Ok(value(key, &format!("{canary}{call}"))),
            _ => Err(down().with_source(std::io::Error::other("refused"))),
        })
    };
    let builder = with_config([("vault", script)], |config| config.auto_refresh = true);
    said.debug(&builder);
    let (secrets, events) = observed(builder);
    let subscription = secrets.on_rotation("name", None, |rotation| {
        Err(format!("no: {} {}", rotation.old.expose(), rotation.new.expose()).into())
    });
    said.debug(&subscription);
    said.debug(&secrets.get("name", Some("key")).await);
    secrets.refresh_now().await;
    let _ = tokio::time::timeout(std::time::Duration::from_secs(3600), secrets.run()).await;
    for (path, key) in [
        ("gone", None),
        ("denied", None),
        ("several", None),
        ("other-key", Some("key")),
        ("panics", None),
        ("down", None),
    ] {
        said.error(&secrets.get(path, key).await.unwrap_err());
    }
    // A secret in the place of a path is not repeated either.
    said.error(&secrets.get(&format!("{canary}!"), None).await.unwrap_err());
    said.error(&secrets.get("name", Some(&format!("{canary}!"))).await.unwrap_err());

    let options = GetOptions::default().with_default(canary.as_str().into());
    said.debug(&options);
    said.debug(&secrets.get_with("down", None, options).await);
    said.debug(&value(Some("key"), &canary));
    said.debug(&secrets);
    said.debug(&secrets.status());
    said.debug(&secrets.known_values());
    let events = std::mem::take(&mut *events.lock().unwrap());
    assert!(events.len() > 20, "{}", events.len());
    events.iter().for_each(|event| said.debug(event));

    let environment = Environment::new([("NAME_KEY".to_owned(), canary.clone())]);
    said.debug(&environment);
    let folder = Folder::new();
    folder.write("half", [canary.as_bytes(), b"\xFF"].concat());
    let mut config = Config::default();
    config.backend = "env,file".into();
    config.file.directory = folder.path().into();
    said.debug(&config);
    said.debug(&Files::new(folder.path()));
    let secrets = Secrets::builder(config).with_backend("env", environment).build().unwrap();
    said.debug(&secrets.get("name", Some("key")).await);
    said.error(&secrets.get("half", None).await.unwrap_err());
    said.error(&secrets.get("half", Some("key")).await.unwrap_err());
    said.debug(&secrets.status());

    assert!(said.0.contains("[REDACTED]") && said.0.len() > 5_000, "{}", said.0.len());
    assert!(!said.0.contains(&canary), "{}", said.0);
}

/// SEC-6: the scrubber is given what was handed out, now and before, and nothing else.
#[tokio::test]
async fn the_scrubber_knows_the_values() {
    let script = Script::new(|call, _, key| {
        Ok(value(key, &format!("v{call}")).with(Some("spare"), "spare".into()))
    });
    let secrets = with_config([("vault", script)], |_| {}).build().unwrap();
    assert!(secrets.known_values().is_empty());
    secrets.get("name", Some("key")).await.unwrap();
    assert_eq!(secrets.known_values(), ["v0".into()]);
    secrets.refresh_now().await;
    secrets.refresh_now().await;
    assert_eq!(secrets.known_values(), ["v2".into(), "v1".into()]);
}
