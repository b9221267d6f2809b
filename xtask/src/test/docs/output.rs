//! Comparing what a page says with what was printed.

/// Stands for anything: within a line for any text, alone on a line for any number of lines.
const ANYTHING: &str = "…";

/// Fails, showing both, if they differ. Spaces around lines and empty lines at the ends do not
/// count.
pub(crate) fn compare(expected: &str, printed: &str) -> anyhow::Result<()> {
    let lines =
        |text: &'_ str| text.trim().lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let (expected, printed) = (lines(expected), lines(printed));
    anyhow::ensure!(
        all_match(&expected, &printed),
        "the page says\n{}\nbut this was printed:\n{}",
        expected.join("\n"),
        printed.join("\n")
    );
    Ok(())
}

fn all_match(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == ANYTHING => {
            (0..=printed.len()).any(|skipped| all_match(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, others)| line_matches(first, line) && all_match(rest, others)),
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let Some((begin, rest)) = expected.split_once(ANYTHING) else { return expected == printed };
    let Some(printed) = printed.strip_prefix(begin) else { return false };
    let ends = printed.char_indices().map(|(at, _)| at).chain([printed.len()]);
    ends.into_iter().any(|at| line_matches(rest, &printed[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: &str, printed: &str, matches: bool) {
        assert_eq!(compare(expected, printed).is_ok(), matches, "{expected:?} {printed:?}");
    }

    #[test]
    fn lines_are_compared_without_the_spaces_around_them() {
        check("a\n  b\n", "a  \nb", true);
        check("a\nb", "a", false);
        check("a", "a\nb", false);
        check("a", "A", false);
    }

    #[test]
    fn an_ellipsis_stands_for_any_text_in_a_line() {
        check("{\"id\":\"…\",\"n\":…}", "{\"id\":\"7f\",\"n\":1}", true);
        check("{\"id\":\"…\",\"n\":2}", "{\"id\":\"7f\",\"n\":1}", false);
        check("HTTP/1.1 …", "HTTP/1.1 200 OK", true);
        check("… OK", "HTTP/1.1 200 OK", true);
        check("a…b", "ab", true);
        check("a…b", "a", false);
    }

    #[test]
    fn an_ellipsis_alone_stands_for_any_lines() {
        check("a\n…\nd", "a\nb\nc\nd", true);
        check("a\n…\nd", "a\nd", true);
        check("…", "", true);
        check("a\n…", "b", false);
    }

    #[test]
    fn a_difference_is_shown_from_both_sides() {
        let error = compare("a", "b").unwrap_err().to_string();
        assert_eq!(error, "the page says\na\nbut this was printed:\nb");
    }
}
