use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_app::secrets::backend::Answer;
use core_app::secrets::{Backend, BackendError, SecretData};
use core_app::types::Secret;

use crate::service::{File, routes, with};

/// A backend whose values the test changes.
#[derive(Clone, Default)]
struct Table(Arc<Mutex<HashMap<String, String>>>);

impl Backend for Table {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        Box::pin(async move {
            let values = self.0.lock().unwrap();
            let value = values.get(path).ok_or_else(|| BackendError::not_found("no such row"))?;
            Ok(SecretData::new().with(key, Secret::from(value.as_str())))
        })
    }
}

/// CFG-10: a reference is resolved at the start, and a rotation gives one new generation.
#[tokio::test]
async fn a_rotation_reaches_the_settings() {
    let table = Table::default();
    table.0.lock().unwrap().insert("api".into(), "canary-old".into());
    let file = File::new(
        r#"{"api_key": "secret://api:key", "greeting": "g",
        "secrets": {"backend": "table", "auto_refresh": true, "refresh_interval": 1}}"#,
    );
    let path = file.path().display().to_string();
    let app = with(&["--config", &path]).with_secrets_backend("table", table.clone());
    let running = app.start(routes).await.unwrap();
    let key = || running.host().settings().app.api_key.clone().unwrap();
    assert_eq!(key().expose(), "canary-old");

    table.0.lock().unwrap().insert("api".into(), "canary-new".into());
    let rotated = async {
        while key().expose() != "canary-new" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), rotated).await.expect("rotated");
    assert_eq!(running.host().settings().number, 2);
    running.stop().await;
}

/// CFG-10, SEC-1: an unresolved reference, or a backend that is not there, refuses the start by
/// name and never by value.
#[tokio::test]
async fn what_cannot_be_resolved_refuses_the_start() {
    let refused = |text: &'static str| async move {
        let file = File::new(text);
        let path = file.path().display().to_string();
        let error = with(&["--config", &path]).start(routes).await.unwrap_err();
        core_app::types::Chain(&error).to_string()
    };
    let error = refused(r#"{"api_key": "secret://github-credentials:token"}"#).await;
    assert!(error.contains(":1:13: api_key: secret://github-credentials:token"), "{error}");
    assert!(error.contains("GITHUB_CREDENTIALS_TOKEN"), "{error}");
    let error = refused(r#"{"secrets": {"backend": "valut"}}"#).await;
    assert!(error.contains(":1:25: secrets.backend: "), "{error}");
    assert!(error.contains("`valut`") && error.contains("`env`"), "{error}");
}
