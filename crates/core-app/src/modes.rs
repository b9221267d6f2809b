//! Questions that are answered in the place of running: the answer alone on the standard output.

use std::io::BufReader;
use std::path::Path;

use core_config::{Key, Loaded, Loader, Settings as _};

use core_log::audit::{self, Head};
use core_types::Chain;

use crate::arguments::Question;
use crate::{BoxError, Error, Exit, Settings, kubernetes, say};

/// What needs no configuration: the schema.
pub(crate) fn schema<A: core_config::Settings>() -> Exit {
    let mut schema = Settings::<A>::schema();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("title".into(), "Configuration".into());
    }
    say::answer(&format!("{schema:#}\n"))
}

/// What needs no configuration either: an example of one.
pub(crate) fn example<A: core_config::Settings>(loader: &Loader<Settings<A>>) -> Exit {
    say::answer(&loader.catalog().to_example())
}

/// Whether an audit file is as it was written: its end, or where it is broken.
pub(crate) fn verify_audit(file: &Path, known: Option<&str>) -> Exit {
    let known = known.map(str::parse::<Head>).transpose();
    let end = known.map_err(BoxError::from).and_then(|known| {
        let file = std::fs::File::open(file)?;
        Ok(audit::verify(BufReader::new(file), known.as_ref())?)
    });
    match end {
        Ok(end) => say::answer(&format!("the chain is whole; its end is {end}\n")),
        Err(source) => {
            say::aside(&format!("{}: {}\n", file.display(), Chain(source.as_ref())));
            Exit::failed(Error::Build { component: "audit", source })
        }
    }
}

/// What is asked of a configuration that was read and is valid.
pub(crate) fn answer<A>(name: &str, question: &Question, loaded: &Loaded<Settings<A>>) -> Exit {
    match question {
        Question::CheckConfig => {
            let warnings = loaded.warnings.iter().map(|warning| format!("warning: {warning}\n"));
            say::aside(&warnings.collect::<String>());
            say::answer("the configuration is valid\n")
        }
        Question::PrintPod => {
            let config = &loaded.settings.host;
            say::aside(&kubernetes::warnings(config));
            say::answer(&kubernetes::pod(name, config))
        }
        Question::PrintConfig => say::answer(&loaded.effective.to_toml()),
        Question::PrintSchema | Question::PrintExample => {
            unreachable!("answered without a configuration")
        }
        Question::VerifyAudit(..) => unreachable!("answered without a configuration"),
        Question::Healthcheck(_) => unreachable!("answered by the running service"),
        Question::Explain(key) => {
            let explanations = Key::parse(key).map(|key| loaded.effective.explain(&key));
            let Some(explanations) = explanations.filter(|known| !known.is_empty()) else {
                let hint = match loaded.effective.nearest(key) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "--print-config lists all of them".into(),
                };
                say::aside(&format!("{name}: no setting is called `{key}`; {hint}\n"));
                return Exit::usage();
            };
            say::answer(&explanations.iter().map(ToString::to_string).collect::<String>())
        }
    }
}
