//! Refusals, and keys that a container is given. What is said is what AWS' documentation says.

use std::time::Duration;

use core_secrets::{ErrorKind, Secrets};

use crate::http::header;
use crate::loopback::{Loopback, Play, answer};
use crate::{config, read, refused};

fn refusal(kind: &str) -> String {
    answer("400 Bad Request", &format!(r#"{{"__type":"{kind}","Message":"canary"}}"#))
}

/// SEC-2, SEC-3: keys that a container is given are fetched with the token of a file, kept, and fetched
/// anew when they are refused.
#[tokio::test]
async fn keys_of_a_container_are_fetched_anew() {
    fn keys(number: usize) -> String {
        let keys = format!(
            r#"{{"AccessKeyId":"id-{number}","SecretAccessKey":"canary","Token":"canary-{number}","Expiration":"2099-01-01T00:00:00Z"}}"#
        );
        answer("200 OK", &keys)
    }
    let server = Loopback::new(|head, number| match (head.starts_with("GET /keys"), number) {
        (true, _) => keys(number),
        (false, 1) => refusal("com.amazonaws#ExpiredTokenException"),
        (false, 3) => answer("200 OK", r#"{"SecretString":"canary-1"}"#),
        (false, _) => answer("200 OK", r#"{"SecretString":"canary-2"}"#),
    })
    .await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "canary-of-the-pod\n").unwrap();
    let mut config = config(&server.address);
    config.aws.access_key_id.clear();
    config.aws.credentials_url = format!("http://{}/keys", server.address);
    config.aws.credentials_token_file = Some(file);
    let secrets = Secrets::builder(config).build().unwrap();

    assert_eq!(read(&secrets, "key", None).await, "canary-1");
    let heads = server.asked();
    assert_eq!(heads.len(), 4, "keys, refused, keys, read");
    assert_eq!(header(&heads[0], "authorization"), Some("canary-of-the-pod"));
    for (head, number) in [(&heads[1], 0), (&heads[3], 2)] {
        let token = format!("canary-{number}");
        assert_eq!(header(head, "x-amz-security-token"), Some(&*token));
        let authorization = header(head, "authorization").unwrap();
        assert!(authorization.contains(&format!("Credential=id-{number}/")), "{authorization}");
        let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target";
        assert!(authorization.contains(signed), "{authorization}");
    }
    secrets.refresh_now().await;
    assert_eq!(read(&secrets, "key", None).await, "canary-2");
    assert_eq!(server.asked().len(), 5, "keys that last are kept");
}

/// SEC-2, SEC-6: refusals are told apart, and nothing of an answer is told but its kind.
#[tokio::test]
async fn refusals_are_told_apart() {
    let plays: [(Play, ErrorKind, &str); 6] = [
        (|_, _| refusal("AccessDeniedException"), ErrorKind::Denied, "AWS says 400 AccessDenied"),
        (|_, _| refusal("ExpiredTokenException"), ErrorKind::Denied, "AWS says 400 Expired"),
        (|_, _| refusal("ThrottlingException"), ErrorKind::Unavailable, "AWS says 400 Throttling"),
        (|_, _| refusal("InvalidRequestException"), ErrorKind::Invalid, "AWS says 400 Invalid"),
        (|_, _| answer("503 Slow Down", "canary"), ErrorKind::Unavailable, "AWS says 503"),
        (
            |_, _| answer("200 OK", r#"{"SecretString":["canary"]}"#),
            ErrorKind::Unavailable,
            "the answer of the service makes no sense",
        ),
    ];
    for (play, expected, begins) in plays {
        let server = Loopback::new(play).await;
        let secrets = Secrets::builder(config(&server.address)).build().unwrap();
        let (kind, told) = refused(&secrets, "key", None).await;
        assert_eq!(kind, expected, "{told}");
        assert!(told.starts_with(begins) && !told.contains("canary"), "{told}");
        assert_eq!(server.asked().len(), 1);
    }
}

/// SEC-2: the service says for how long it is to be left alone.
#[tokio::test]
async fn a_busy_service_is_left_alone_for_as_long_as_it_asks() {
    let busy =
        |_: &str, _| answer("429 Busy", "").replace("\r\n\r\n", "\r\nretry-after: 7\r\n\r\n");
    let server = Loopback::new(busy).await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    let error = secrets.get("key", None).await.unwrap_err();
    let core_secrets::Error::Backend { source, .. } = error else { panic!("{error:?}") };
    assert_eq!(source.retry_after(), Some(Duration::from_secs(7)));
}

/// SEC-6: who hands out keys and refuses in a sentence is not quoted.
#[tokio::test]
async fn who_gives_no_keys_is_not_quoted() {
    let server = Loopback::new(|_, _| answer("401 No", r#""canary""#)).await;
    let mut config = config(&server.address);
    config.aws.access_key_id.clear();
    config.aws.credentials_url = format!("http://{}/keys", server.address);
    let secrets = Secrets::builder(config).build().unwrap();
    let (kind, told) = refused(&secrets, "key", None).await;
    assert_eq!((kind, &*told), (ErrorKind::Denied, "`aws.credentials_url` says 401"));
}
