//! SEC-1: one encrypted file, for development.

use core_secrets::backend::Encrypted;
use core_secrets::{Config, Error, ErrorKind, Secrets};

use crate::support::Folder;

const JSON: &str = r#"{"github-credentials": {"token": "canary-1", "webhook": "canary-2"}, "API_KEY": "canary-3"}"#;

fn sealed(folder: &Folder, json: &str) -> Secrets {
    folder.write("sealed", Encrypted::seal(json, &"canary-passphrase".into()).unwrap());
    folder.write("passphrase", "canary-passphrase\n");
    let mut config = Config::default();
    config.backend = "encrypted".into();
    config.encrypted.path = folder.path().join("sealed");
    config.encrypted.passphrase_file = Some(folder.path().join("passphrase"));
    Secrets::builder(config).build().unwrap()
}

/// SEC-1: values by key and values alone; a file that was sealed anew counts at the next refresh.
#[tokio::test]
async fn a_sealed_file_is_read() {
    let folder = Folder::new();
    let secrets = sealed(&folder, JSON);
    let get = async |path, key| secrets.get(path, key).await.map(|value| value.expose().clone());
    assert_eq!(get("github-credentials", Some("token")).await.unwrap(), "canary-1");
    assert_eq!(get("API_KEY", None).await.unwrap(), "canary-3");
    assert!(matches!(get("nothing", None).await, Err(Error::NotFound { .. })));
    folder.write(
        "sealed",
        Encrypted::seal(&JSON.replace('3', "4"), &"canary-passphrase".into()).unwrap(),
    );
    secrets.refresh_now().await;
    assert_eq!(get("API_KEY", None).await.unwrap(), "canary-4");
}

/// SEC-1, SEC-6: a wrong passphrase, and one changed byte, are refused; nothing is quoted.
#[tokio::test]
async fn what_was_tampered_with_is_refused() {
    for (file, at) in [("sealed", 60), ("sealed", 20), ("passphrase", 3), ("sealed", 1)] {
        let folder = Folder::new();
        let secrets = sealed(&folder, JSON);
        let path = folder.path().join(file);
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"canary-1"));
        bytes[at] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let error = secrets.get("API_KEY", None).await.unwrap_err();
        assert!(!format!("{error:?} {secrets:?}").contains("canary"), "{error:?}");
        let Error::Backend { source, .. } = error else { panic!("{error}") };
        assert!(matches!(source.kind(), ErrorKind::Denied | ErrorKind::Invalid));
    }
    let error = Encrypted::seal(r#"{"path": ["canary"]}"#, &"p".into()).unwrap_err();
    assert_eq!(error.to_string(), "expected JSON: each path with a text, or with keys of texts");
}
