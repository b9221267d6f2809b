//! Ways in.

use core_secrets::{ErrorKind, Secrets};

use crate::http::header;
use crate::loopback::{Loopback, Play, answer};
use crate::{config, read, refusal, refused, secret, with_tokens};

/// The first token is accepted by nobody.
fn first_refused(_: &str, number: usize) -> String {
    match number {
        1 => refusal("401 Unauthorized", "Unauthorized"),
        _ => secret("canary"),
    }
}

/// SEC-1, SEC-2, SEC-3: an application logs in by its secret; the token is kept, and got anew when it
/// is refused.
#[tokio::test]
async fn an_application_logs_in_by_its_secret() {
    let server = with_tokens(first_refused).await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary");
    secrets.refresh_now().await;
    let asked = server.asked();
    assert_eq!(asked.len(), 5, "token, refused, token, read, read");
    assert!(asked[0].starts_with("POST /tenant/oauth2/v2.0/token HTTP"), "{}", asked[0]);
    assert!(asked[0].ends_with(
        "\r\n\r\ngrant_type=client_credentials&client_id=application\
         &scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=canary+%26%2B%3D"
    ));
    for (request, number) in [(&asked[1], 0), (&asked[3], 2), (&asked[4], 2)] {
        let bearer = format!("Bearer canary-{number}");
        assert_eq!(header(request, "authorization"), Some(&*bearer));
    }
}

/// SEC-1: a pod logs in by the token that its cluster gives it, as it is at that time.
#[tokio::test]
async fn a_pod_logs_in_by_the_token_of_its_cluster() {
    let server = with_tokens(first_refused).await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "canary.of.cluster\n").unwrap();
    let mut config = config(&server.address);
    config.azure.client_secret = None;
    config.azure.federated_token_file = Some(file);
    let secrets = Secrets::builder(config).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary");
    for number in [0, 2] {
        assert!(server.asked()[number].ends_with(
            "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion=canary.of.cluster"
        ));
    }
}

/// SEC-1: a machine asks the service that knows which it is, with the header without which a
/// redirected request would be answered too.
#[tokio::test]
async fn a_machine_is_known_by_its_address() {
    let server = Loopback::new(|request, _| {
        if request.starts_with("GET /identity") {
            // It writes numbers in quotes.
            answer("200 OK", r#"{"access_token":"canary-m","expires_in":"86399"}"#)
        } else {
            secret("canary")
        }
    })
    .await;
    let mut config = config(&server.address);
    config.azure.client_secret = None;
    let secrets = Secrets::builder(config).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary");
    let asked = server.asked();
    assert!(asked[0].starts_with(
        "GET /identity?api-version=2018-02-01&resource=https://vault.azure.net\
         &client_id=application HTTP"
    ));
    assert_eq!(header(&asked[0], "metadata"), Some("true"));
    assert_eq!(header(&asked[1], "authorization"), Some("Bearer canary-m"));
}

/// SEC-2, SEC-3: a token that is about to end is not used for another read.
#[tokio::test]
async fn a_token_is_replaced_before_its_end() {
    let server = Loopback::new(|request, _| {
        if request.starts_with("POST") {
            answer("200 OK", r#"{"access_token":"canary","expires_in":299}"#)
        } else {
            secret("canary")
        }
    })
    .await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    read(&secrets, "key", None).await;
    read(&secrets, "other", None).await;
    assert_eq!(server.asked().iter().filter(|request| request.starts_with("POST")).count(), 2);
}

/// SEC-2, SEC-6: who gives no token is named, with what it calls its refusal and nothing more.
#[tokio::test]
async fn refused_logins_are_told_apart() {
    let plays: [(Play, ErrorKind, &str); 4] = [
        (
            |_, _| {
                let text = r#"{"error":"invalid_client","error_description":"canary"}"#;
                answer("401 Unauthorized", text)
            },
            ErrorKind::Denied,
            "`azure.authority` says 401 invalid_client",
        ),
        (|_, _| answer("429 Busy", "canary"), ErrorKind::Unavailable, "`azure.authority` says 429"),
        (
            |_, _| answer("404 Not Found", "canary"),
            ErrorKind::Unavailable,
            "`azure.authority` says 404",
        ),
        (
            |_, _| answer("200 OK", "canary"),
            ErrorKind::Unavailable,
            "`azure.authority` gives no token",
        ),
    ];
    for (play, kind, told) in plays {
        let server = Loopback::new(play).await;
        let secrets = Secrets::builder(config(&server.address)).build().unwrap();
        assert_eq!(refused(&secrets, "key", None).await, (kind, told.to_owned()));
    }
}
