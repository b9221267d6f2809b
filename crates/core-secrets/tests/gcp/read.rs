//! What is read, and what is refused.

use core_secrets::{ErrorKind, Secrets};

use crate::loopback::{Play, answer};
use crate::{config, read, refusal, refused, secret, with_tokens};

/// SEC-1: texts and members of JSON objects, of the latest version or one that is named.
#[tokio::test]
async fn secrets_are_read() {
    let server = with_tokens(|request, _| match request.split(' ').nth(1).unwrap() {
        "/v1/projects/project-1/secrets/API_KEY/versions/latest:access" => {
            secret(b"canary-1", 1_707_614_544)
        }
        "/v1/projects/project-1/secrets/API_KEY/versions/1:access" => {
            secret(b"canary-0", 2_544_083_539)
        }
        "/v1/projects/project-1/secrets/db/versions/latest:access" => secret(
            br#"{"user":"canary-u","password":"canary-p","port":5432,"more":{}}"#,
            3_168_196_046,
        ),
        "/v1/projects/project-1/secrets/bytes/versions/latest:access" => {
            secret(b"\xff\xfecanary", 1_902_058_914)
        }
        _ => answer("500 Unexpected", ""),
    })
    .await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    assert_eq!(read(&secrets, "API_KEY", None).await, "canary-1");
    assert_eq!(read(&secrets, "API_KEY/1", None).await, "canary-0");
    assert_eq!(read(&secrets, "gcp/db", Some("user")).await, "canary-u");
    assert_eq!(read(&secrets, "db", Some("password")).await, "canary-p");
    assert_eq!(read(&secrets, "db", Some("port")).await, "5432");
    assert_eq!(refused(&secrets, "db", Some("more")).await.0, ErrorKind::NotFound);
    let (kind, told) = refused(&secrets, "bytes", None).await;
    assert_eq!((kind, &*told), (ErrorKind::Invalid, "the secret is not text"));
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
    let plays: [(Play, ErrorKind, &str); 8] = [
        (|_, _| refusal("404 Not Found", "NOT_FOUND"), NotFound, "Google says 404 NOT_FOUND"),
        (|_, _| answer("404 Not Found", "canary"), Invalid, "Google says 404"),
        (
            |_, _| refusal("403 Forbidden", "PERMISSION_DENIED"),
            Denied,
            "Google says 403 PERMISSION_DENIED",
        ),
        (
            |_, _| refusal("429 Busy", "RESOURCE_EXHAUSTED"),
            Unavailable,
            "Google says 429 RESOURCE_EXHAUSTED",
        ),
        (|_, _| answer("503 Down", "canary"), Unavailable, "Google says 503"),
        // The version is disabled.
        (
            |_, _| refusal("400 Bad", "FAILED_PRECONDITION"),
            Invalid,
            "Google says 400 FAILED_PRECONDITION",
        ),
        (|_, _| secret(b"canary-1", 7), Unavailable, "the secret was damaged on its way"),
        (
            |_, _| answer("200 OK", r#"{"payload":"canary"}"#),
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
