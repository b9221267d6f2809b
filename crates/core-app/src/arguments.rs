use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};

/// What was asked for on the command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) config: Option<PathBuf>,
    pub(crate) structured_logging: bool,
    pub(crate) hot_reload: bool,
    pub(crate) set: Vec<String>,
    pub(crate) question: Option<Question>,
}

/// A question that is answered in the place of running the service.
#[derive(Debug)]
pub(crate) enum Question {
    CheckConfig,
    PrintConfig,
    PrintPod,
    PrintSchema,
    PrintExample,
    Explain(String),
    /// An audit file, and its end if that is known.
    VerifyAudit(PathBuf, Option<String>),
    /// The probe that is asked for: `ready`, for instance.
    Healthcheck(String),
}

/// Arguments that do not lead to a run: help and version, or a mistake.
#[derive(Debug)]
pub(crate) enum NoRun {
    Help(String),
    Usage(String),
}

pub(crate) fn parse(
    name: &'static str,
    version: &'static str,
    about: &'static str,
    arguments: Vec<OsString>,
) -> Result<Arguments, NoRun> {
    let program = std::iter::once(OsString::from(name));
    let matches = command(name, version, about)
        .try_get_matches_from(program.chain(arguments))
        .map_err(|error| no_run(&error))?;
    let flag = |name: &str| matches.get_flag(name);
    let by_flag = matches.get_one::<PathBuf>("config");
    let bare = matches.get_one::<PathBuf>("path");
    if let (Some(by_flag), Some(bare)) = (by_flag, bare)
        && by_flag != bare
    {
        let error = command(name, version, about).error(
            ErrorKind::ArgumentConflict,
            format!("two configuration files: {} and {}", by_flag.display(), bare.display()),
        );
        return Err(no_run(&error));
    }
    let probe = matches.subcommand().and_then(|(_, asked)| asked.get_one::<String>("probe"));
    let question = if let Some(probe) = probe {
        Some(Question::Healthcheck(probe.clone()))
    } else if flag("check-config") {
        Some(Question::CheckConfig)
    } else if let Some(file) = matches.get_one::<PathBuf>("verify-audit") {
        let end = matches.get_one::<String>("audit-end").cloned();
        Some(Question::VerifyAudit(file.clone(), end))
    } else if flag("print-config") {
        Some(Question::PrintConfig)
    } else if flag("print-pod") {
        Some(Question::PrintPod)
    } else if flag("print-schema") {
        Some(Question::PrintSchema)
    } else if flag("print-example") {
        Some(Question::PrintExample)
    } else {
        matches.get_one::<String>("explain").cloned().map(Question::Explain)
    };
    Ok(Arguments {
        config: by_flag.or(bare).cloned(),
        structured_logging: flag("structured-logging"),
        hot_reload: flag("hot-reload"),
        set: matches.get_many::<String>("set").into_iter().flatten().cloned().collect(),
        question,
    })
}

fn no_run(error: &clap::Error) -> NoRun {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => NoRun::Help(text),
        _ => NoRun::Usage(text),
    }
}

fn command(name: &'static str, version: &'static str, about: &'static str) -> Command {
    let file = |arg: Arg| arg.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::AnyPath);
    let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
    Command::new(name)
        .version(version)
        .about(about)
        .disable_help_subcommand(true)
        .subcommand(
            Command::new("healthcheck")
                .about("Ask the running service how it is: exit code 0 means well, 1 not")
                .arg(
                    Arg::new("probe")
                        .value_name("PROBE")
                        .value_parser(["live", "ready", "startup"])
                        .default_value("ready")
                        .help("What to ask it"),
                ),
        )
        .arg(file(Arg::new("path")).value_name("CONFIG").help("The same as --config"))
        .arg(
            file(Arg::new("config").long("config").value_name("FILE").global(true))
                .help("A configuration file (.toml, .json, .yaml), or a folder of them"),
        )
        .arg(
            Arg::new("set")
                .long("set")
                .value_name("KEY=VALUE")
                .action(ArgAction::Append)
                .global(true)
                .help("Set one key, such as server.bind_address=0.0.0.0:8080; may be repeated"),
        )
        .arg(flag("structured-logging").help("Write JSON to the log, on a terminal too"))
        .arg(flag("hot-reload").help("Apply edits of the configuration files as they are saved"))
        .arg(
            flag("check-config")
                .conflicts_with_all([
                    "print-config",
                    "print-pod",
                    "print-schema",
                    "print-example",
                    "explain",
                ])
                .help("Read and check the configuration, and end"),
        )
        .arg(
            flag("print-config")
                .conflicts_with_all(["print-pod", "print-schema", "print-example", "explain"])
                .help("Print every setting with its origin, secrets masked, and end"),
        )
        .arg(
            flag("print-pod")
                .conflicts_with_all(["print-schema", "print-example", "explain"])
                .help("Print what a Kubernetes pod has to be told of this service, and end"),
        )
        .arg(
            flag("print-schema")
                .conflicts_with_all(["print-example", "explain"])
                .help("Print the JSON Schema of the configuration, and end"),
        )
        .arg(
            flag("print-example")
                .conflicts_with("explain")
                .help("Print a file with every setting and its default, as comments, and end"),
        )
        .arg(
            file(Arg::new("verify-audit").long("verify-audit"))
                .value_name("FILE")
                .help("Verify the chain of an audit file, print its end, and end"),
        )
        .arg(
            Arg::new("audit-end")
                .long("audit-end")
                .value_name("NUMBER:HASH")
                .requires("verify-audit")
                .help("An end that the log has told: the file must reach it"),
        )
        .arg(
            Arg::new("explain")
                .long("explain")
                .value_name("KEY")
                .help("Print where a setting comes from and what it overrides, and end"),
        )
}
