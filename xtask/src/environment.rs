//! All that is read from the environment.
#![allow(clippy::disallowed_methods, reason = "a command is not configured by files")]

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Context as _;

/// Whether `CI=true`: then what cannot be run has failed.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Whether colours are unwelcome whatever the terminal can do: `NO_COLOR` is set, or `TERM=dumb`.
pub(crate) fn plain() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The folders in which programs are looked for.
pub(crate) fn path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}

/// A file or folder that a variable names.
pub(crate) fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where cargo keeps what it has downloaded.
pub(crate) fn cargo_home() -> anyhow::Result<PathBuf> {
    let home = set("CARGO_HOME").or_else(|| Some(set("HOME")?.join(".cargo")));
    home.context("neither CARGO_HOME nor HOME is set")
}

/// Where rustup keeps its toolchains, if that is what is used.
pub(crate) fn rustup_home() -> anyhow::Result<PathBuf> {
    let home = set("RUSTUP_HOME").or_else(|| Some(set("HOME")?.join(".rustup")));
    home.context("neither RUSTUP_HOME nor HOME is set")
}

/// Where tools stay that this program has got by itself.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("mira-xtask"))
}

/// The files in which credentials for registries are kept: docker's, then skopeo's and podman's.
pub(crate) fn registry_credentials() -> Vec<PathBuf> {
    let docker = set("DOCKER_CONFIG").or_else(|| Some(set("HOME")?.join(".docker")));
    let docker = docker.map(|folder| folder.join("config.json"));
    let runtime = set("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json"));
    [set("REGISTRY_AUTH_FILE"), docker, runtime].into_iter().flatten().collect()
}

/// A file with certificates beside the usual ones.
pub(crate) fn certificates() -> Option<PathBuf> {
    set("SSL_CERT_FILE")
}

/// Whether golden files are to be written, and not compared.
pub(crate) fn updates_expectations() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| !value.is_empty())
}

/// The names of the variables that begin with a prefix.
pub(crate) fn names(prefix: &str) -> Vec<OsString> {
    let names = std::env::vars_os().map(|(name, _)| name);
    names.filter(|name| name.as_encoded_bytes().starts_with(prefix.as_bytes())).collect()
}
