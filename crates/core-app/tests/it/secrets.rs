use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_app::secrets::backend::{Answer, Asked, Lease};
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

/// Lends one key after the other, each for two seconds, and notes which come back.
#[derive(Clone, Default)]
struct Lender(Arc<Mutex<(usize, Vec<String>)>>);

impl Backend for Lender {
    fn get<'a>(&'a self, _: &'a str, key: Option<&'a str>) -> Answer<'a> {
        let mut books = self.0.lock().unwrap();
        books.0 += 1;
        let value = Secret::from(format!("canary-{}", books.0));
        let lease = Lease::new(books.0.to_string(), Duration::from_secs(2));
        let data = SecretData::new().with(key, value).with_lease(lease);
        Box::pin(std::future::ready(Ok(data)))
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Asked<'a, ()> {
        self.0.lock().unwrap().1.push(lease.id().to_owned());
        Box::pin(std::future::ready(Ok(())))
    }
}

/// SEC-3, SEC-5: an old lease is given back when settings with the new value are in force; where
/// these are refused, it is left to its end; at the stop the rest is given back.
#[tokio::test]
async fn leases_are_kept_while_settings_need_them() {
    let lender = Lender::default();
    let given_back = || lender.0.lock().unwrap().1.clone();
    let file = File::new(r#"{"api_key": "secret://api:key", "secrets": {"backend": "lender"}}"#);
    let path = file.path().display().to_string();
    let app = with(&["--config", &path]).with_secrets_backend("lender", lender.clone());
    let running = app.start(routes).await.unwrap();
    let key = || running.host().settings().app.api_key.clone().unwrap();
    let wait = async |what: &str, is_so: &dyn Fn() -> bool| {
        let asking = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), asking).await.expect(what);
    };
    wait("taken over", &|| key().expose() == "canary-2").await;
    wait("given back", &|| given_back() == ["1"]).await;

    file.write(
        r#"{"greeting": "", "api_key": "secret://api:key", "secrets": {"backend": "lender"}}"#,
    );
    wait("lent anew", &|| lender.0.lock().unwrap().0 >= 4).await;
    assert_eq!(key().expose(), "canary-2", "refused");
    assert_eq!(given_back(), ["1"], "and so kept");
    running.stop().await;
    let last = lender.0.lock().unwrap().0.to_string();
    assert!(given_back().contains(&last), "{:?}", given_back());
}
