//! SEC-1: several backends, by name and in order.

use core_secrets::backend::BackendError;
use core_secrets::{Config, Error, ErrorKind, SecretData, Secrets};

use crate::support::{Script, builder, down, shown, value};

fn has(text: &'static str) -> std::sync::Arc<Script> {
    Script::new(move |_, path, key| Ok(value(key, &format!("{text} {path}"))))
}

fn lacks() -> std::sync::Arc<Script> {
    Script::new(|_, _, _| Err(BackendError::not_found("nothing here")))
}

/// SEC-1: the first backend that has the secret gives it; the others are not asked.
#[tokio::test]
async fn the_first_hit_wins() {
    let (first, second, third) = (lacks(), has("second"), has("third"));
    let backends = [("a", first.clone()), ("b", second.clone()), ("c", third.clone())];
    let secrets = builder(backends).build().unwrap();
    assert_eq!(shown(&secrets.get("name", None).await.unwrap()), "second name");
    assert_eq!((first.count(), second.count(), third.count()), (1, 1, 0));
    assert_eq!(&*secrets.status()[0].backend, "b");
}

/// SEC-1: a backend that is out of reach, or refuses, is not passed over: an outage must not change
/// which secret is used.
#[tokio::test(start_paused = true)]
async fn trouble_ends_the_search() {
    for trouble in [down(), BackendError::denied("403"), BackendError::invalid("no sense")] {
        let kind = trouble.kind();
        let first = Script::new(move |_, _, _| Err(trouble.clone()));
        let second = has("second");
        let secrets = builder([("a", first), ("b", second.clone())]).build().unwrap();
        match secrets.get("name", None).await {
            Err(Error::Backend { backend, source, .. }) => {
                assert_eq!((&*backend, source.kind()), ("a", kind));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(second.count(), 0);
    }
}

/// SEC-1: the first segment names a backend only if one of that name is configured.
#[tokio::test]
async fn the_first_segment_is_a_backend_only_if_configured() {
    let secrets = builder([("env", has("env")), ("vault", has("vault"))]).build().unwrap();
    for (reference, expected) in [
        ("secret://vault/app/db:password", "vault app/db"),
        ("secret://env/app/db:password", "env app/db"),
        // Registered from the start, yet not configured: a folder of that name in the first backend.
        ("secret://file/app/db:password", "env file/app/db"),
        ("secret://app/db:password", "env app/db"),
        // One segment is a path, whatever it is called.
        ("secret://vault", "env vault"),
    ] {
        let value = secrets.resolve(&reference.parse().unwrap()).await.unwrap();
        assert_eq!(shown(&value), expected, "{reference}");
    }
}

/// SEC-2, CFG-10: the error names the path, the key and every backend that was asked.
#[tokio::test]
async fn not_found_says_where_it_was_looked_for() {
    let empty = Script::new(|_, _, _| Ok(SecretData::new()));
    let secrets = builder([("env", lacks()), ("vault", empty)]).build().unwrap();
    let error = secrets.get("app/db", Some("password")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret://app/db:password was not found: `env`: nothing here; `vault`: the secret has no \
         such key"
    );
    let error = secrets.get("vault/app", None).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "secret://vault/app was not found: `vault`: the secret has no such key"
    );
}

/// SEC-1: a single key is the answer to a question without one; of several, none is guessed.
#[tokio::test]
async fn a_whole_secret_answers_a_question_without_a_key() {
    let whole = Script::new(|_, path, _| {
        let one = value(Some("user"), "ada");
        Ok(if path == "one" { one } else { one.with(Some("password"), "x".into()) })
    });
    let secrets = builder([("vault", whole)]).build().unwrap();
    assert_eq!(shown(&secrets.get("one", None).await.unwrap()), "ada");
    match secrets.get("two", None).await {
        Err(Error::Backend { source, .. }) => assert_eq!(source.kind(), ErrorKind::Invalid),
        other => panic!("{other:?}"),
    }
}

/// A backend that gives a secret whole is asked once for all of its keys, and an earlier backend
/// still comes first for each.
#[tokio::test]
async fn keys_that_came_along_are_not_asked_for_again() {
    let env = Script::new(|_, _, key| match key {
        Some("password") => Ok(value(key, "from env")),
        _ => Err(BackendError::not_found("no variable")),
    });
    let vault = Script::new(|_, _, _| {
        Ok(["user", "password", "host"]
            .into_iter()
            .fold(SecretData::new(), |data, key| data.with(Some(key), "from vault".into())))
    });
    let secrets = builder([("env", env), ("vault", vault.clone())]).build().unwrap();
    for (key, expected) in
        [("user", "from vault"), ("password", "from env"), ("host", "from vault")]
    {
        assert_eq!(shown(&secrets.get("db", Some(key)).await.unwrap()), expected, "{key}");
    }
    assert_eq!(vault.count(), 1);
}

/// SEC-1: a backend that nobody registered is a mistake that names the choice there is.
#[test]
fn an_unknown_backend_is_refused() {
    let mut config = Config::default();
    config.backend = ["file", "valut"].into();
    let error = Secrets::builder(config).with_backend("env", lacks()).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "no secrets backend is registered as `valut` (registered: `env`, `file`): build it in, or \
         hand it in by `with_backend`"
    );
}
