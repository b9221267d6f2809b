//! Jobs: things with a name that can be run, the suites of `test` and the checks of `check`.

use std::time::Instant;

use anyhow::bail;
use clap::builder::PossibleValuesParser;

use crate::context::Context;
use crate::environment;
use crate::screen::{Finished, Outcome};
use crate::tool::Tool;

/// One line in the table of suites or checks.
#[derive(Clone, Copy)]
pub(crate) struct Job {
    pub(crate) name: &'static str,
    /// What is known once it has passed.
    pub(crate) shows: &'static str,
    /// The programs without which it cannot be run.
    pub(crate) needs: &'static [Tool],
    /// Returns a note for the summary, such as a number of tests.
    pub(crate) run: fn(&Context) -> anyhow::Result<String>,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// List what there is, and run nothing.
    #[arg(long)]
    pub(crate) list: bool,
    /// Show the output of what passes, too.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// The names that may be chosen.
pub(crate) fn names(jobs: &[Job]) -> PossibleValuesParser {
    PossibleValuesParser::new(jobs.iter().map(|job| job.name).collect::<Vec<_>>())
}

/// Prints what there is.
pub(crate) fn list(jobs: &[Job]) -> bool {
    for job in jobs {
        let needs: Vec<_> = job.needs.iter().map(|tool| tool.name).collect();
        let needs =
            if needs.is_empty() { String::new() } else { format!(" ({})", needs.join(", ")) };
        println!("{:<9} {}{needs}", job.name, job.shows);
    }
    true
}

/// Runs the chosen jobs, or all. Tells whether none failed.
pub(crate) fn run(jobs: &[Job], chosen: &[String], verbose: bool) -> anyhow::Result<bool> {
    let context = Context::new(verbose)?;
    let wanted = |job: &&Job| chosen.is_empty() || chosen.iter().any(|name| name == job.name);
    let mut all = Vec::new();
    for job in jobs.iter().filter(wanted) {
        context.screen.start(job.name);
        let began = Instant::now();
        let outcome = outcome(job, &context, environment::in_ci());
        let finished = Finished { name: job.name, outcome, took: began.elapsed() };
        context.screen.finish(&finished);
        all.push(finished);
    }
    context.screen.summary(&all);
    Ok(!all.iter().any(|finished| matches!(finished.outcome, Outcome::Failed(_))))
}

fn outcome(job: &Job, context: &Context, in_ci: bool) -> Outcome {
    let missing: Vec<String> =
        job.needs.iter().filter(|tool| tool.find().is_none()).map(Tool::missing).collect();
    if !missing.is_empty() {
        let missing = missing.join("; ");
        return if in_ci {
            Outcome::Failed(format!("nothing may be skipped in CI: {missing}"))
        } else {
            Outcome::Skipped(missing)
        };
    }
    match (job.run)(context) {
        Ok(note) => Outcome::Passed(note),
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}

/// Fails with all that was found, if anything was.
pub(crate) fn refuse(findings: &[String]) -> anyhow::Result<()> {
    if !findings.is_empty() {
        bail!("{}", findings.join("\n"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: Tool = Tool { name: "no-such-tool", probe: &["no-such-tool"], get: "make it" };

    fn check(needs: &'static [Tool], in_ci: bool) -> Outcome {
        let run = |_: &Context| bail!("it ran");
        let context = Context::new(true).unwrap();
        outcome(&Job { name: "job", shows: "nothing", needs, run }, &context, in_ci)
    }

    #[test]
    fn a_job_without_its_tool_is_skipped_with_the_command_that_gets_it() {
        let Outcome::Skipped(why) = check(&[MISSING], false) else { panic!("it was not skipped") };
        assert_eq!(why, "no-such-tool not found; make it");
    }

    #[test]
    fn in_ci_a_job_without_its_tool_has_failed() {
        let Outcome::Failed(why) = check(&[MISSING], true) else { panic!("it did not fail") };
        assert_eq!(why, "nothing may be skipped in CI: no-such-tool not found; make it");
    }

    #[test]
    fn a_job_that_fails_tells_why() {
        let Outcome::Failed(why) = check(&[], false) else { panic!("it did not fail") };
        assert_eq!(why, "it ran");
    }
}
