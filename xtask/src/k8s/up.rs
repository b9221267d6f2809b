//! From the source to pods that are shown to work.

mod watch;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::cluster::{Cluster, Target};
use super::failure::{Failure, Kind};
use super::image::Image;
use super::kubectl::output;
use super::{apply, code, image, manifest, phase, programs, ready, smoke};
use crate::context::Context;
use crate::dist;
use crate::process::shown;

/// Others' programs, by their images. Taken from this machine if they are there, since not every node
/// may pull.
const OTHERS: &[(&str, &str)] =
    &[("docker.io/prom/prometheus", "prometheus"), ("docker.io/library/nats", "nats-server")];

/// What is put on the cluster, and how.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The kustomize overlay that is applied.
    #[arg(long, value_name = "FOLDER", default_value = "deploy/kubernetes/overlays/local")]
    pub(crate) overlay: PathBuf,
    /// How the binary is built.
    #[arg(long, value_enum, default_value_t = Profile::Dist)]
    pub(crate) profile: Profile,
    /// A binary that is built already, to be used with the libraries that it is linked to.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile", "watch"])]
    pub(crate) binary: Option<PathBuf>,
    /// Print the commands and the YAML, and change nothing on the cluster.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do it again whenever a source or a manifest changes, until Ctrl-C.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) watch: bool,
    /// Show the output of the programs that are run.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// How a binary is built.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As `cargo xtask dist` ships it.
    Dist,
    /// For trying out what is being written: built in seconds, and slower. Linux only.
    Dev,
}

pub(crate) fn up(options: &Options) -> anyhow::Result<ExitCode> {
    let context = Context::new(options.verbose)?;
    if options.dry_run {
        return dry_run(&context, options).map(|()| ExitCode::SUCCESS);
    }
    loop {
        let seen = watch::state(context.workspace.root())?;
        let ended = run(&context, options);
        if !options.watch {
            return Ok(code(&ended));
        }
        context.screen.note("waiting for a change");
        watch::wait(context.workspace.root(), seen)?;
    }
}

fn run(context: &Context, options: &Options) -> anyhow::Result<()> {
    let cluster = phase(context, "cluster", |step| {
        let cluster = Cluster::of(context, &options.target)?;
        let note = cluster.start(context, step)?;
        Ok((cluster, note))
    })?;
    let folder = folder(context, &cluster);
    let mira = phase(context, "build", |_| {
        let image = build(context, options, &folder)?;
        let note = image.name.clone();
        Ok((image, note))
    })?;
    let manifests = phase(context, "image", |step| {
        let manifests = make(context, options, &folder, mira, step)?;
        let note =
            format!("{} objects use {} images", manifests.objects()?, manifests.images.len());
        Ok((manifests, note))
    })?;
    phase(context, "load", |step| {
        for (_, image) in &manifests.images {
            step(&image.name);
            cluster.load(image)?;
        }
        Ok(((), format!("{} images are on every node", manifests.images.len())))
    })?;
    let kubectl = &cluster.kubectl;
    phase(context, "apply", |_| Ok(((), apply::apply(kubectl, &manifests.text)?)))?;
    phase(context, "ready", |step| Ok(((), ready::wait(kubectl, step)?)))?;
    phase(context, "smoke", |step| Ok(((), smoke::run(kubectl, step)?)))?;
    let reach = match cluster.node() {
        Some(node) => format!("--kubeconfig {}", node.kubeconfig().display()),
        None => format!("--context {}", cluster.name),
    };
    println!("\nMira answers: kubectl {reach} --namespace mira port-forward service/mira 8080:80");
    Ok(())
}

struct Manifests {
    text: String,
    images: Vec<(&'static str, Image)>,
}

impl Manifests {
    fn objects(&self) -> anyhow::Result<usize> {
        Ok(manifest::read(&self.text)?.len())
    }
}

/// Where what is made for a cluster is kept.
fn folder(context: &Context, cluster: &Cluster) -> PathBuf {
    context.workspace.target().join("k8s").join(&cluster.name)
}

/// The image of what is in the tree now, or of the binary that was named.
fn build(context: &Context, options: &Options, folder: &Path) -> anyhow::Result<Image> {
    let of = |binary: &Path| {
        std::fs::create_dir_all(folder)?;
        image::of_program(folder, "mira", binary)
    };
    let build = || match (&options.binary, options.profile) {
        (Some(binary), _) => of(binary),
        (None, Profile::Dev) => {
            context.cargo(&["build", "--package", "mira", "--bin", "mira"])?;
            of(&context.workspace.target().join("debug/mira"))
        }
        (None, Profile::Dist) => {
            let packed = dist::pack(context, "mira")?;
            Ok(Image { name: packed.reference, id: packed.id, archive: packed.archive })
        }
    };
    build().map_err(Failure::because(Kind::Build))
}

/// What is applied, with all images that it names and that can be had here.
fn make(
    context: &Context,
    options: &Options,
    folder: &Path,
    mira: Image,
    step: &dyn Fn(&str),
) -> anyhow::Result<Manifests> {
    std::fs::create_dir_all(folder)?;
    let overlay = context.workspace.root().join(&options.overlay);
    let render = |images: &[(&str, Image)]| {
        apply::prepare(folder, &overlay, images)?;
        output(&mut render(context, folder)?, "").map_err(Failure::because(Kind::Build))
    };
    let mut images = vec![("mira", mira.clone()), ("localhost/mira", mira)];
    let needed = render(&images)?;
    for (original, name) in OTHERS {
        let is_needed = cfg!(target_os = "linux") && needed.contains(original);
        if let Some(program) = programs::on_path(name).filter(|_| is_needed) {
            step(name);
            let name = format!("mira-{name}");
            images.push((original, image::of_program(folder, &name, &program)?));
        }
    }
    let text = render(&images)?;
    images.dedup_by_key(|(_, image)| image.name.clone());
    Ok(Manifests { text, images })
}

fn render(context: &Context, folder: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(programs::kubectl(context)?);
    command.arg("kustomize").arg(folder);
    Ok(command)
}

fn dry_run(context: &Context, options: &Options) -> anyhow::Result<()> {
    let cluster = Cluster::of(context, &options.target)?;
    let folder = folder(context, &cluster);
    let manifests = make(context, options, &folder, build(context, options, &folder)?, &|_| {})?;
    let commands =
        manifests.images.iter().filter_map(|(_, image)| cluster.load_command(&image.archive));
    let apply = ["apply", "--server-side", "--force-conflicts", "--filename", "-"];
    let commands = commands.chain([render(context, &folder)?, cluster.kubectl.command(&apply)]);
    for command in commands {
        println!("# {}", shown(&command).trim_matches('`'));
    }
    print!("{}", manifests.text);
    Ok(())
}
