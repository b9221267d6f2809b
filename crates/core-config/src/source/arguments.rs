use super::{Found, text};
use crate::node::{Kind, Node};
use crate::schema::Schema;
use crate::{Key, Origin, Problem};

/// Reads the values of `--set`, each `a.b=c`, in their order.
pub(crate) fn read(settings: &[String], schema: &Schema) -> Found {
    let mut found = Found::nothing(Origin::Flag { name: "--set".into() });
    for setting in settings {
        if let Err(problem) = set(setting, schema, &mut found.node) {
            found.problems.push(problem);
        }
    }
    found
}

fn set(setting: &str, schema: &Schema, root: &mut Node) -> Result<(), Problem> {
    let flag = |name: &str| Origin::Flag { name: format!("--set {name}").trim_end().into() };
    // What stands before the sign may be a secret that was pasted at the wrong place.
    let malformed =
        || Problem::of(flag(""), "expected a key and a value, such as `server.port=80`");
    let (name, value) = setting.split_once('=').ok_or_else(malformed)?;
    let key = Key::parse(name.trim()).filter(|_| !name.contains('[')).ok_or_else(malformed)?;
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
