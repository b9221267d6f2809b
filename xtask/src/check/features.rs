//! Each crate alone, with each of its features alone. What only works because a neighbour switched
//! something on is found here.

use crate::context::Context;
use crate::workspace::Workspace;

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let mut combinations = 0;
    for member in context.workspace.crates() {
        let name = member.name.as_str();
        let features: Vec<&str> = Workspace::features(member).collect();
        let mut sets = vec!["none"];
        sets.extend(&features);
        // One feature and all features are the same where there is only one.
        if features.len() > 1 {
            sets.push("all");
        }
        for set in sets {
            context.step(&format!("features: {name} with {set}"));
            // Apart from each other: tests bring dependencies whose features would help the library.
            context.cargo(&clippy(&["--package", name, "--lib"], set))?;
            context.cargo(&clippy(&["--package", name, "--tests"], set))?;
            combinations += 1;
        }
    }
    Ok(format!("{combinations} combinations"))
}

/// The arguments of a clippy that takes no warning. `features` is one feature, `none`, or `all`.
pub(crate) fn clippy<'a>(what: &[&'a str], features: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["clippy"];
    arguments.extend(what);
    match features {
        "none" => {}
        "all" => arguments.push("--all-features"),
        feature => arguments.extend(["--features", feature]),
    }
    arguments.extend(["--", "-D", "warnings"]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_none_or_all() {
        let check = |features, expected: &str| {
            assert_eq!(clippy(&["-p", "x"], features).join(" "), expected);
        };
        check("none", "clippy -p x -- -D warnings");
        check("serde", "clippy -p x --features serde -- -D warnings");
        check("all", "clippy -p x --all-features -- -D warnings");
    }
}
