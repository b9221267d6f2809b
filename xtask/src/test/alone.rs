//! Each crate alone, as a stranger would take it: by path, from outside the workspace.

mod example;
mod tree;

use crate::context::Context;
use crate::test::unit;

pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    context.cargo(&["fetch", "--locked"])?;
    let mut tests = 0;
    for member in context.workspace.crates() {
        let name = member.name.as_str();
        context.step(&format!("alone: what {name} brings"));
        tree::check(context, name)?;
        context.step(&format!("alone: the README's example of {name}"));
        example::build(context, member)?;
        context.step(&format!("alone: the tests of {name}"));
        let test = ["test", "--package", name];
        tests += unit::count(&context.cargo(&[&test, unit::quiet(context)].concat())?);
    }
    Ok(format!("{} crates, {tests} tests", context.workspace.crates().count()))
}
