//! `cargo xtask tools`: the programs that this command gets by itself.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;

use crate::context::Context;
use crate::tool::kept::{KEPT, Kept};
use crate::tool::places::Places;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Tools, or single programs of them; all tools, unless some are named.
    #[arg(value_name = "NAME", value_parser = names())]
    tools: Vec<String>,
    /// List what is found where and what would be done, and do nothing. In a pipe, columns are
    /// parted by tabs: tool, program, version, place, path.
    #[arg(long)]
    list: bool,
    /// Show the output of the programs that are run.
    #[arg(long, short)]
    verbose: bool,
}

fn names() -> PossibleValuesParser {
    let names: BTreeSet<_> = KEPT.iter().flat_map(|kept| [kept.tool, kept.program]).collect();
    PossibleValuesParser::new(names)
}

pub(crate) fn run(options: &Options) -> anyhow::Result<bool> {
    let context = Context::new(options.verbose)?;
    if options.list {
        let rows = rows(&options.tools, &Places::of(&context)?)?;
        print!("{}", text(&rows, std::io::stdout().is_terminal()));
        return Ok(true);
    }
    for path in get(&context, &options.tools)? {
        println!("{}", path.display());
    }
    Ok(true)
}

/// Finds the programs of some tools, or gets them; of all tools, if none is named. A single program
/// is found by [`Kept::get`].
pub(crate) fn get(context: &Context, tools: &[String]) -> anyhow::Result<Vec<PathBuf>> {
    chosen(tools).map(|kept| kept.get(context)).collect()
}

fn chosen(tools: &[String]) -> impl Iterator<Item = &'static Kept> {
    let is_named =
        |kept: &&Kept| tools.iter().any(|name| [kept.tool, kept.program].contains(&&**name));
    KEPT.iter().filter(move |kept| tools.is_empty() || is_named(kept))
}

type Row = [String; 5];

fn rows(tools: &[String], places: &Places) -> anyhow::Result<Vec<Row>> {
    let row = |kept: &Kept| {
        let (version, place, path) = match kept.find(places)? {
            Some((place, found)) => {
                (found.version, place.name().to_owned(), found.path.display().to_string())
            }
            None => (kept.version(places)?, "-".to_owned(), kept.takes()),
        };
        Ok([kept.tool.to_owned(), kept.program.to_owned(), version, place, path])
    };
    chosen(tools).map(row).collect()
}

fn text(rows: &[Row], for_people: bool) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &Row| {
        if !for_people {
            return row.join("\t") + "\n";
        }
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_gets_tabs_and_people_get_columns() {
        let row = |cells: [&str; 5]| cells.map(ToOwned::to_owned);
        let rows = [
            row(["a", "long-name", "1.2.3", "cache", "/x"]),
            row(["b", "b", "1", "-", "is built"]),
        ];
        assert_eq!(text(&rows, false), "a\tlong-name\t1.2.3\tcache\t/x\nb\tb\t1\t-\tis built\n");
        assert_eq!(
            text(&rows, true),
            "a  long-name  1.2.3  cache  /x\nb  b          1      -      is built\n"
        );
    }

    #[test]
    fn every_tool_of_the_workspace_is_listed() {
        let places = Places::of(&Context::new(false).unwrap()).unwrap();
        let rows = rows(&["kubernetes".to_owned(), "pause".to_owned()], &places).unwrap();
        let programs: Vec<_> = rows.iter().map(|row| row[1].as_str()).collect();
        assert_eq!(
            programs,
            [
                "kube-apiserver",
                "kube-controller-manager",
                "kube-proxy",
                "kube-scheduler",
                "kubectl",
                "kubelet",
                "pause"
            ]
        );
    }
}
