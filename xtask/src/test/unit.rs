//! The tests that the members carry themselves.

use anyhow::ensure;

use crate::context::Context;

/// Arguments that all runs share, so that they share what was built.
const ALL: &[&str] = &["test", "--workspace", "--all-features", "--no-fail-fast"];

/// All tests, those in the documentation included.
pub(crate) fn run(context: &Context) -> anyhow::Result<String> {
    let output = context.cargo(&[ALL, quiet(context)].concat())?;
    Ok(tests(count(&output)))
}

/// The tests with a word in their path, which need a program that not everybody has. They skip
/// themselves without it; here that is a failure.
pub(crate) fn named(context: &Context, word: &str) -> anyhow::Result<String> {
    let filter = ["--test", "it", "--", "--nocapture", word];
    none_skipped(&context.cargo(&[ALL, &filter].concat())?)
}

/// How many tests have run, if there were some and all of them did what they are for.
pub(crate) fn none_skipped(output: &str) -> anyhow::Result<String> {
    let skipped: Vec<&str> = output.lines().filter(|line| line.contains("skipped: ")).collect();
    ensure!(skipped.is_empty(), "tests skipped themselves:\n{}", skipped.join("\n"));
    let passed = count(output);
    ensure!(passed > 0, "there is no such test");
    Ok(tests(passed))
}

/// Without the names of what passes, unless they were asked for.
pub(crate) fn quiet(context: &Context) -> &'static [&'static str] {
    if context.verbose { &[] } else { &["--quiet"] }
}

/// `1 test`, `2 tests`
pub(crate) fn tests(number: usize) -> String {
    format!("{number} test{}", if number == 1 { "" } else { "s" })
}

/// The number of tests that have passed.
pub(crate) fn count(output: &str) -> usize {
    let passed = output.lines().filter_map(|line| {
        let (_, results) = line.split_once("test result: ")?;
        results.split_once(" passed")?.0.rsplit(' ').next()?.parse::<usize>().ok()
    });
    passed.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_counted() {
        let output = "
running 2 tests
..
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test \x1b[32mresult: ok\x1b[0m
test result: \x1b[32mok\x1b[m. 40 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out
";
        assert_eq!(count(output), 42);
        assert_eq!(count(""), 0);
    }
}
