//! What is read, and what is refused.

use core_secrets::{ErrorKind, Secrets};

use crate::loopback::{Play, answer};
use crate::{config, read, refusal, refused, secret, with_tokens};

/// SEC-1: texts and members of JSON objects, of the current version or one that is named.
#[tokio::test]
async fn secrets_are_read() {
    let server = with_tokens(|request, _| match request.split(' ').nth(1).unwrap() {
        "/secrets/key?api-version=7.4" => secret("canary-1"),
        "/secrets/key/4387e9f3d6e14c459867679a90fd0f79?api-version=7.4" => secret("canary-0"),
        "/secrets/db?api-version=7.4" => {
            secret(r#"{"user":"canary-u","password":"canary-p","port":5432,"more":{}}"#)
        }
        _ => answer("500 Unexpected", ""),
    })
    .await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary-1");
    let version = "key/4387e9f3d6e14c459867679a90fd0f79";
    assert_eq!(read(&secrets, version, None).await, "canary-0");
    assert_eq!(read(&secrets, "azure/db", Some("user")).await, "canary-u");
    assert_eq!(read(&secrets, "db", Some("password")).await, "canary-p");
    assert_eq!(read(&secrets, "db", Some("port")).await, "5432");
    assert_eq!(refused(&secrets, "db", Some("more")).await.0, ErrorKind::NotFound);
    let before = server.asked().len();
    for path in ["a/b/c", "a.b", "a/b.c"] {
        assert_eq!(refused(&secrets, path, None).await.0, ErrorKind::Invalid, "{path}");
    }
    assert_eq!(server.asked().len(), before, "what is no name is not asked for");
}

/// SEC-2, SEC-6: refusals are told apart, and nothing of an answer is told but its kind.
#[tokio::test]
async fn refusals_are_told_apart() {
    use core_secrets::ErrorKind::{Denied, Invalid, NotFound, Unavailable};
    let plays: [(Play, ErrorKind, &str); 7] = [
        (
            |_, _| refusal("404 Not Found", "SecretNotFound"),
            NotFound,
            "Azure says 404 SecretNotFound",
        ),
        (|_, _| answer("404 Not Found", "canary"), Invalid, "Azure says 404"),
        (|_, _| refusal("403 Forbidden", "Forbidden"), Denied, "Azure says 403 Forbidden"),
        (|_, _| refusal("429 Busy", "Throttled"), Unavailable, "Azure says 429 Throttled"),
        (|_, _| answer("503 Down", "canary"), Unavailable, "Azure says 503"),
        (|_, _| refusal("400 Bad", "BadParameter"), Invalid, "Azure says 400 BadParameter"),
        (
            |_, _| answer("200 OK", r#"{"value":["canary"]}"#),
            Unavailable,
            "the answer of the service makes no sense",
        ),
    ];
    for (play, kind, told) in plays {
        let server = with_tokens(play).await;
        let secrets = Secrets::builder(config(&server.address)).build().unwrap();
        assert_eq!(refused(&secrets, "key", None).await, (kind, told.to_owned()));
        assert_eq!(server.asked().len(), 2, "a token, and the secret");
    }
}
