//! SEC-1: files and mounted folders.
#![cfg(unix)]

use std::os::unix::fs::symlink;
use std::sync::{Arc, Mutex};

use core_secrets::backend::{Backend as _, Files};
use core_secrets::{BackendError, Config, ErrorKind, Secrets};

use crate::support::{Folder, shown};

fn secrets(folder: &Folder) -> Secrets {
    let mut config = Config::default();
    config.backend = "file".into();
    config.file.directory = folder.path().into();
    Secrets::builder(config).build().unwrap()
}

async fn error(folder: &Folder, path: &str, key: Option<&str>) -> BackendError {
    Files::new(folder.path()).get(path, key).await.expect_err(path)
}

/// A mounted Kubernetes Secret: files are links into `..data`, which is a link to a version.
fn mount(folder: &Folder, name: &str, version: &str, files: &[(&str, &str)]) {
    for (file, content) in files {
        folder.write(&format!("{name}/..{version}/{file}"), content);
        let link = folder.path().join(name).join(file);
        if !link.is_symlink() {
            symlink(format!("..data/{file}"), link).unwrap();
        }
    }
    let secret = folder.path().join(name);
    symlink(format!("..{version}"), secret.join("..data_tmp")).unwrap();
    std::fs::rename(secret.join("..data_tmp"), secret.join("..data")).unwrap();
}

/// SEC-1: a file is a secret, a folder is a secret with keys.
#[tokio::test]
async fn files_and_folders_are_read() {
    let folder = Folder::new();
    folder.write("API_KEY", "k");
    folder.write("github-credentials/token", "t\n");
    folder.write("app/database/password", "p");
    let secrets = secrets(&folder);
    for (reference, expected) in [
        ("secret://API_KEY", "k"),
        ("secret://github-credentials:token", "t"),
        ("secret://github-credentials/token", "t"),
        ("secret://app/database:password", "p"),
        ("secret://file/app/database:password", "p"),
    ] {
        let value = secrets.resolve(&reference.parse().unwrap()).await.unwrap();
        assert_eq!(shown(&value), expected, "{reference}");
    }
}

/// One line end is an editor's habit; more belongs to the secret.
#[tokio::test]
async fn one_line_end_is_left_out() {
    let folder = Folder::new();
    let secrets = secrets(&folder);
    for (number, (content, expected)) in [
        ("v", "v"),
        ("v\n", "v"),
        ("v\r\n", "v"),
        ("v\n\n", "v\n"),
        ("v\r", "v\r"),
        (" v ", " v "),
        ("\n", ""),
        ("", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("n{number}");
        folder.write(&name, content);
        assert_eq!(shown(&secrets.get(&name, None).await.unwrap()), expected, "{content:?}");
    }
}

/// SEC-4, SEC-5: the swap of `..data` is seen at the next refresh, again and again, with all keys
/// of one version.
#[tokio::test]
async fn a_mounted_secret_is_rotated() {
    let folder = Folder::new();
    mount(&folder, "db", "1", &[("user", "u1"), ("password", "p1")]);
    let secrets = secrets(&folder);
    let rotations = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&rotations);
    let _subscription = secrets.on_rotation("db", None, move |rotation| {
        let pair = (rotation.old.expose().clone(), rotation.new.expose().clone());
        log.lock().unwrap().push(pair);
        Ok(())
    });
    for key in ["user", "password"] {
        secrets.get("db", Some(key)).await.unwrap();
    }
    for version in 2..5 {
        let (user, password) = (format!("u{version}"), format!("p{version}"));
        let name = version.to_string();
        mount(&folder, "db", &name, &[("user", &user), ("password", &password)]);
        std::fs::remove_dir_all(folder.path().join(format!("db/..{}", version - 1))).unwrap();
        secrets.refresh_now().await;
        assert_eq!(shown(&secrets.cached("db", Some("user")).unwrap()), user);
        assert_eq!(shown(&secrets.cached("db", Some("password")).unwrap()), password);
    }
    let expected: Vec<_> = (2..5)
        .flat_map(|version| ["u", "p"].map(|key| (key, version)))
        .map(|(key, version)| (format!("{key}{}", version - 1), format!("{key}{version}")))
        .collect();
    assert_eq!(*rotations.lock().unwrap(), expected);
}

/// A mounted secret is read from one version, whatever happens to `..data` meanwhile.
#[tokio::test]
async fn keys_of_a_mounted_secret_come_together() {
    let folder = Folder::new();
    mount(&folder, "db", "1", &[("user", "u1"), ("password", "p1"), ("keystore", "")]);
    folder.write("db/..1/keystore", [0xFF, 0xFE]);
    let secrets = secrets(&folder);
    assert_eq!(shown(&secrets.get("db", Some("user")).await.unwrap()), "u1");
    mount(&folder, "db", "2", &[("user", "u2"), ("password", "p2")]);
    // Had it been read now, it would not fit the user that was handed out.
    assert_eq!(shown(&secrets.get("db", Some("password")).await.unwrap()), "p1");
    let error = error(&folder, "db", Some("keystore")).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// SEC-1: no path and no link leads out of the folder.
#[tokio::test]
async fn nothing_leads_out_of_the_folder() {
    let (folder, outside) = (Folder::new(), Folder::new());
    outside.write("secret", "outside");
    outside.write("db/password", "outside");
    let link = |target: &std::path::Path, name: &str| {
        symlink(target, folder.path().join(name)).unwrap();
    };
    link(&outside.path().join("secret"), "file-link");
    link(&outside.path().join("db"), "folder-link");
    std::fs::create_dir(folder.path().join("mounted")).unwrap();
    link(&outside.path().join("db"), "mounted/..data");
    folder.write("mixed/own", "inside");
    link(&outside.path().join("secret"), "mixed/other");
    let up = format!("../{}/secret", outside.path().file_name().unwrap().to_str().unwrap());
    let absolute = outside.path().join("secret");
    for (path, key) in [
        ("file-link", None),
        ("folder-link", Some("password")),
        ("folder-link/password", None),
        ("mounted", Some("password")),
        ("mixed", Some("other")),
        // A reference cannot carry these; the backend does not rely on that.
        (&up, None),
        (absolute.to_str().unwrap(), None),
        ("mixed/own/../../../../../../../../../../../../etc", Some("passwd")),
    ] {
        let error = error(&folder, path, key).await;
        let refused = [ErrorKind::Denied, ErrorKind::NotFound].contains(&error.kind());
        assert!(refused, "{path}: {error:?}");
        if !path.contains("own/..") {
            assert_eq!(error.kind(), ErrorKind::Denied, "{path}");
            assert!(error.to_string().contains("leads out of"), "{error}");
        }
    }
    // Links inside of the folder are fine, also when the folder itself is a link.
    symlink("mixed/own", folder.path().join("inside")).unwrap();
    let alias = outside.path().join("alias");
    symlink(folder.path(), &alias).unwrap();
    for directory in [folder.path(), &alias] {
        Files::new(directory).get("inside", None).await.unwrap();
    }
}

/// SEC-6: what cannot be a secret is refused, in words that show nothing of it.
#[tokio::test]
async fn what_is_no_secret_is_refused() {
    let folder = Folder::new();
    folder.write("binary", b"canary\xFF");
    folder.write("large", vec![b'x'; 1024 * 1024 + 1]);
    folder.write("largest", vec![b'x'; 1024 * 1024]);
    folder.write("folder/key", "v");
    std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    for (path, key, kind, text) in [
        ("binary", None, ErrorKind::Invalid, "is not UTF-8"),
        ("large", None, ErrorKind::Invalid, "is larger than 1 MiB"),
        ("folder", None, ErrorKind::Invalid, "is a folder: name a key"),
        ("socket", None, ErrorKind::Invalid, "is not a regular file"),
        ("absent", None, ErrorKind::NotFound, "no file"),
        ("folder", Some("absent"), ErrorKind::NotFound, "no file"),
        ("largest", Some("key"), ErrorKind::NotFound, "no file"),
    ] {
        let error = error(&folder, path, key).await;
        assert_eq!(error.kind(), kind, "{path}: {error:?}");
        assert!(error.to_string().contains(text), "{path}: {error}");
        assert!(!format!("{error:?} {error}").contains("canary"));
    }
    Files::new(folder.path()).get("largest", None).await.unwrap();
    let nowhere = Files::new(folder.path().join("nowhere")).get("name", None).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
}
