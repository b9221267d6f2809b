//! Ways in.

use std::fs;
use std::path::Path;
use std::process::Command;

use core_secrets::{ErrorKind, Secrets};
use serde_json::{Value, json};

use crate::http::header;
use crate::loopback::Loopback;
use crate::{config, read, refusal, refused, secret, token, with_tokens};

/// SEC-1, SEC-2, SEC-3: a machine asks the metadata server, with the header without which it says
/// nothing; the token is kept, and got anew when it is refused.
#[tokio::test]
async fn a_machine_asks_the_metadata_server() {
    let server = with_tokens(|_, number| match number {
        1 => refusal("401 Unauthorized", "UNAUTHENTICATED"),
        _ => secret(b"canary-1", 1_707_614_544),
    })
    .await;
    let secrets = Secrets::builder(config(&server.address)).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary-1");
    secrets.refresh_now().await;
    let asked = server.asked();
    assert_eq!(asked.len(), 5, "token, refused, token, read, read");
    assert!(asked[0].starts_with("GET /token HTTP"), "{}", asked[0]);
    assert_eq!(header(&asked[0], "metadata-flavor"), Some("Google"));
    for (request, number) in [(&asked[1], 0), (&asked[3], 2), (&asked[4], 2)] {
        let bearer = format!("Bearer canary-{number}");
        assert_eq!(header(request, "authorization"), Some(&*bearer));
    }
}

fn openssl(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A part of a token, of which the alphabet has no `+` and `/`, and the end no filling.
fn decoded(folder: &Path, part: &str) -> Vec<u8> {
    let filled = format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4));
    fs::write(folder.join("part"), filled.replace('-', "+").replace('_', "/")).unwrap();
    openssl(folder, &["base64", "-d", "-A", "-in", "part"])
}

/// SEC-1: the key of a service account signs what the documentation asks for, and openssl agrees.
#[tokio::test]
async fn a_service_account_signs_its_login() {
    let server = Loopback::new(|request, _| {
        if request.starts_with("POST /token HTTP") {
            token(0)
        } else {
            secret(b"canary-1", 1_707_614_544)
        }
    })
    .await;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    openssl(folder, &["genpkey", "-algorithm", "RSA", "-out", "key"]);
    openssl(folder, &["pkey", "-in", "key", "-pubout", "-out", "public"]);
    let token_uri = format!("http://{}/token", server.address);
    let account = json!({
        "type": "service_account", "project_id": "project-1", "private_key_id": "id-of-the-key",
        "private_key": fs::read_to_string(folder.join("key")).unwrap(),
        "client_email": "app@project-1.iam.gserviceaccount.com", "client_id": "1",
        "token_uri": token_uri,
    });
    fs::write(folder.join("account"), account.to_string()).unwrap();
    let mut config = config(&server.address);
    config.gcp.credentials_file = Some(folder.join("account"));
    let secrets = Secrets::builder(config).build().unwrap();
    assert_eq!(read(&secrets, "key", None).await, "canary-1");

    let asked = server.asked();
    let form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    let assertion = asked[0].split(form).nth(1).unwrap();
    assert_eq!(header(&asked[1], "authorization"), Some("Bearer canary-0"));
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let parts = signed.split_once('.').unwrap();
    let json = |part| serde_json::from_slice::<Value>(&decoded(folder, part)).unwrap();
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": "id-of-the-key"});
    assert_eq!(json(parts.0), head);
    let claims = json(parts.1);
    let begin = claims["iat"].as_i64().unwrap();
    let expected = json!({
        "iss": "app@project-1.iam.gserviceaccount.com", "aud": token_uri,
        "scope": "https://www.googleapis.com/auth/cloud-platform", "iat": begin, "exp": begin + 3600,
    });
    assert_eq!(claims, expected);
    fs::write(folder.join("signature"), decoded(folder, signature)).unwrap();
    fs::write(folder.join("signed"), signed).unwrap();
    let verify = ["dgst", "-sha256", "-verify", "public", "-signature", "signature", "signed"];
    openssl(folder, &verify);
}

/// SEC-2, SEC-6: a file that is no key, or a key that cannot be used, is named and not quoted.
#[tokio::test]
async fn a_key_that_is_none_is_not_quoted() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("account");
    let mut config = config("127.0.0.1:9");
    config.gcp.credentials_file = Some(file.clone());
    let secrets = Secrets::builder(config).build().unwrap();
    let account = json!({
        "private_key_id": "canary", "private_key": "canary", "client_email": "canary",
        "token_uri": "http://127.0.0.1:9/canary",
    });
    let nothing = format!("{} is no key of a service account", file.display());
    for (text, expected) in [
        (r#"{"type":"external_account","private_key":["canary"]}"#, &*nothing),
        (&account.to_string(), "the key in `gcp.credentials_file` cannot be used"),
    ] {
        fs::write(&file, text).unwrap();
        let told = refused(&secrets, "key", None).await;
        assert_eq!(told, (ErrorKind::Invalid, expected.to_owned()));
    }
}
