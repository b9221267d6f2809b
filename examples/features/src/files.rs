use std::fs;
use std::io;
use std::path::PathBuf;

use tempfile::TempDir;

/// The configuration and the secret of this program, in a folder that is gone at the end.
#[derive(Debug)]
pub(crate) struct Files(TempDir);

impl Files {
    pub(crate) fn create() -> io::Result<Self> {
        let files = Self(tempfile::tempdir()?);
        fs::create_dir_all(files.secrets().join("database"))?;
        files.write_secret("first-password")?;
        files.write_config("hello")?;
        Ok(files)
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn secrets(&self) -> PathBuf {
        self.0.path().join("secrets")
    }

    pub(crate) fn write_config(&self, greeting: &str) -> io::Result<()> {
        let secrets = self.secrets();
        fs::write(
            self.config(),
            format!(
                r#"
greeting = "{greeting}"
database_url = "postgres://app:${{secret://database:password}}@localhost/app"
server.bind_address = "127.0.0.1:0"
ops.bind_address = "127.0.0.1:0"
config.hot_reload = true
secrets.backend = "file"
secrets.auto_refresh = true
secrets.refresh_interval = 1
secrets.file.directory = '{}'
"#,
                secrets.display()
            ),
        )
    }

    pub(crate) fn write_secret(&self, password: &str) -> io::Result<()> {
        fs::write(self.secrets().join("database/password"), password)
    }
}
