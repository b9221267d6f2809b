use super::{Found, text};
use crate::key::Segment;
use crate::node::{Kind, Node};
use crate::schema::Schema;
use crate::{Key, Origin, Problem};

/// One value from the command line, `a.b=c`.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// The flag that stands for it; none if it was written out behind `--set`.
    pub(crate) flag: Option<&'static str>,
    pub(crate) setting: String,
}

/// Reads the values of the command line, in their order.
pub(crate) fn read(arguments: &[Argument], schema: &Schema) -> Found {
    let mut found = Found::nothing(Origin::Flag { name: "--set".into() });
    for argument in arguments {
        if let Err(problem) = set(argument, schema, &mut found.node) {
            found.problems.push(problem);
        }
    }
    found
}

fn set(argument: &Argument, schema: &Schema, root: &mut Node) -> Result<(), Problem> {
    let Argument { flag, setting } = argument;
    let flag = |name: &str| Origin::Flag {
        name: flag.map_or_else(|| format!("--set {name}").trim_end().into(), str::to_owned),
    };
    // What stands before the sign may be a secret that was pasted at the wrong place.
    let malformed =
        || Problem::of(flag(""), "expected a key and a value, as in `--set logging.level=debug`");
    let (name, value) = setting.split_once('=').ok_or_else(malformed)?;
    let is_name = |segment: &Segment| matches!(segment, Segment::Name(_));
    let key = Key::parse(name.trim()).filter(|key| key.segments().iter().all(is_name));
    let key = key.ok_or_else(malformed)?;
    let origin = flag(name.trim());
    let kind = match schema.at(&key) {
        Some(view) => {
            let value = text::typed(value, &view)
                .map_err(|message| Problem::at(&key, Some(origin.clone()), message))?;
            Node::from_value(value, &origin)
        }
        None => Node::new(origin, Kind::Text(value.to_owned())),
    };
    root.insert(&key, kind);
    Ok(())
}
