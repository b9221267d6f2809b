use std::io;
use std::path::{Path, PathBuf};

use core_types::Secret;
use tokio::fs;
use zeroize::Zeroize as _;

use super::{Answer, Backend, BackendError, SecretData};

/// The largest file that is taken for a secret. Kubernetes allows a Secret no more.
const LARGEST: u64 = 1024 * 1024;

/// The link under which Kubernetes keeps the current version of a mounted Secret.
const CURRENT: &str = "..data";

/// Files below one folder, as Docker, Podman and Kubernetes mount secrets.
///
/// `secret://name` is the file `name`, `secret://name:key` is the file `name/key`. One line end at
/// the end of the file is left out. Files are UTF-8, and at most 1 MiB.
///
/// A mounted Kubernetes Secret is read whole, from one version of it, so that its keys always belong
/// together although the kubelet may replace them at any moment.
///
/// Links are followed, but never out of the folder. The files are read on the runtime's blocking
/// threads, so that a slow disk delays nobody else.
#[derive(Clone, Debug)]
pub struct Files {
    directory: PathBuf,
}

impl Files {
    /// Reads below a folder. It need not exist yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    async fn read(&self, path: &str, key: Option<&str>) -> Result<SecretData, BackendError> {
        let root = resolve(&self.directory).await?;
        let path = self.directory.join(path);
        let Some(key) = key else {
            return text(&root, &path).await.map(SecretData::from);
        };
        let Ok(version) = fs::canonicalize(path.join(CURRENT)).await else {
            let value = text(&root, &path.join(key)).await?;
            return Ok(SecretData::new().with(Some(key), value));
        };
        let mut data = SecretData::new().with(Some(key), text(&root, &version.join(key)).await?);
        // What else is there is a gift. A file that cannot be read is reported when asked for.
        let Ok(mut files) = fs::read_dir(&version).await else { return Ok(data) };
        while let Ok(Some(file)) = files.next_entry().await {
            if let Ok(name) = file.file_name().into_string()
                && name != key
                && let Ok(value) = text(&root, &file.path()).await
            {
                data = data.with(Some(&name), value);
            }
        }
        Ok(data)
    }
}

impl Backend for Files {
    fn get<'a>(&'a self, path: &'a str, key: Option<&'a str>) -> Answer<'a> {
        Box::pin(self.read(path, key))
    }
}

/// Where a path leads when every link is followed.
async fn resolve(path: &Path) -> Result<PathBuf, BackendError> {
    fs::canonicalize(path).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            BackendError::not_found(format!("no file {}", path.display()))
        }
        _ => fault(path, error),
    })
}

/// Reads one file that must lie below the root.
async fn text(root: &Path, path: &Path) -> Result<Secret<String>, BackendError> {
    let target = resolve(path).await?;
    let invalid = |what| BackendError::invalid(format!("{} {what}", path.display()));
    if !target.starts_with(root) {
        let text = format!("{} leads out of {}", path.display(), root.display());
        return Err(BackendError::denied(text));
    }
    // Looked at before it is opened: to open a pipe would wait for its writer.
    let metadata = fs::metadata(&target).await.map_err(|error| fault(path, error))?;
    if metadata.is_dir() {
        return Err(invalid("is a folder: name a key, as in `secret://path:key`"));
    }
    if !metadata.is_file() {
        return Err(invalid("is not a regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(invalid("is larger than 1 MiB"));
    }
    let bytes = fs::read(&target).await.map_err(|error| fault(path, error))?;
    match String::from_utf8(bytes) {
        Ok(mut text) => {
            if text.ends_with('\n') {
                text.pop();
                if text.ends_with('\r') {
                    text.pop();
                }
            }
            Ok(Secret::new(text))
        }
        Err(error) => {
            error.into_bytes().zeroize();
            Err(invalid("is not UTF-8"))
        }
    }
}

/// Input and output may fail and recover; a refusal does not. A file that was there a moment ago
/// and is gone has just been replaced.
fn fault(path: &Path, error: io::Error) -> BackendError {
    let text = format!("cannot read {}", path.display());
    let new = match error.kind() {
        io::ErrorKind::PermissionDenied => BackendError::denied(text),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename => BackendError::invalid(text),
        _ => BackendError::unavailable(text),
    };
    new.with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    /// SEC-2: a refusal is final, a fault of the disk is not.
    #[test]
    fn faults_are_told_apart() {
        let kind = |kind: io::ErrorKind| fault(Path::new("x"), kind.into()).kind();
        assert_eq!(kind(io::ErrorKind::PermissionDenied), ErrorKind::Denied);
        assert_eq!(kind(io::ErrorKind::InvalidFilename), ErrorKind::Invalid);
        assert_eq!(kind(io::ErrorKind::StaleNetworkFileHandle), ErrorKind::Unavailable);
        assert_eq!(kind(io::ErrorKind::NotFound), ErrorKind::Unavailable);
    }
}
