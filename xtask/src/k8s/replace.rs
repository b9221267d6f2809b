use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use tempfile::NamedTempFile;

/// Writes a file as a whole: another run that reads it meanwhile reads the one before.
pub(crate) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().context("a file is in a folder")?;
    let mut new = NamedTempFile::new_in(folder)?;
    write(new.as_file_mut())?;
    new.as_file().set_permissions(Permissions::from_mode(0o644))?;
    new.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read as _, Write as _};

    use super::*;

    /// K8S-2: a run that loads an image while another writes it loads a whole one.
    #[test]
    fn who_reads_meanwhile_reads_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image.tar");
        fs::write(&path, "before").unwrap();
        let mut opened = File::open(&path).unwrap();
        replace(&path, |file| {
            file.write_all(b"af")?;
            assert_eq!(fs::read(&path)?, b"before");
            Ok(file.write_all(b"ter")?)
        })
        .unwrap();
        let mut read = String::new();
        opened.read_to_string(&mut read).unwrap();
        assert_eq!((&*read, &*fs::read(&path).unwrap()), ("before", &b"after"[..]));
        assert!(replace(&path, |_| anyhow::bail!("no room")).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"after", "what cannot be written replaces nothing");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
