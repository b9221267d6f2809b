use std::path::Path;
use std::sync::Arc;

use super::{Found, environment, file_problem, place};
use crate::schema::Schema;
use crate::{Origin, Problem};

/// Reads a `.env` file, whose variables are named as the environment's. `None` if it does not
/// exist. Nothing is put into the process' own environment.
pub(crate) fn read(path: &Path, prefix: &str, schema: &Schema) -> Result<Option<Found>, Problem> {
    let text = super::file::text(path).map_err(|message| file_problem(path, message))?;
    let Some(text) = text else { return Ok(None) };
    let path: Arc<Path> = path.into();
    let (mut variables, mut problems) = (Vec::new(), Vec::new());
    let (mut rest, mut next_line) = (&*text, 1);
    while !rest.is_empty() {
        let line = next_line;
        let (assignment, after) = assignment(rest);
        next_line += rest[..rest.len() - after.len()].matches('\n').count();
        rest = after;
        match assignment {
            Ok(Some((name, value))) => {
                let variable = name.clone();
                let origin = Origin::DotEnv { path: Arc::clone(&path), line, variable };
                variables.push((name, value, origin));
            }
            Ok(None) => {}
            Err(message) => problems.push(Problem::of(place(&path, line, 1), message)),
        }
    }
    let mut found = environment::read(variables, prefix, schema);
    found.problems.extend(problems);
    Ok(Some(found))
}

type Assignment = Result<Option<(String, String)>, &'static str>;

/// Takes one line, or more if a value in quotes goes on: `NAME=value`, `export NAME="value"`, a
/// comment, or nothing. What follows is given back.
///
/// `$` stands for itself: the file says what a value is, not what the process was started with.
fn assignment(text: &str) -> (Assignment, &str) {
    let (line, after) = text.split_once('\n').unwrap_or((text, ""));
    let stripped = line.trim();
    if stripped.is_empty() || stripped.starts_with('#') {
        return (Ok(None), after);
    }
    let malformed = (Err("expected a line such as `NAME=value`"), after);
    let Some((name, _)) = line.split_once('=') else { return malformed };
    let start = name.len() + 1;
    let name = name.trim();
    let name = name.strip_prefix("export ").unwrap_or(name).trim_start();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return malformed;
    }
    let value = line[start..].trim();
    if !value.starts_with(['"', '\'']) {
        let value = value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
        return (Ok(Some((name.to_owned(), value.to_owned()))), after);
    }
    let Some((value, rest)) = quoted(text[start..].trim_start()) else {
        return (Err("the quotes of the value do not end"), after);
    };
    let (behind, after) = rest.split_once('\n').unwrap_or((rest, ""));
    let behind = behind.trim();
    if !behind.is_empty() && !behind.starts_with('#') {
        return (Err("something follows the quotes of the value"), after);
    }
    (Ok(Some((name.to_owned(), value))), after)
}

/// A value in quotes, and what follows it. Single quotes take everything as it stands; in double
/// ones a backslash escapes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut characters = text.chars();
    let quote = characters.next()?;
    let mut value = String::new();
    loop {
        match characters.next()? {
            end if end == quote => return Some((value, characters.as_str())),
            '\\' if quote == '"' => value.push(match characters.next()? {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                other => other,
            }),
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(mut text: &str) -> Vec<Assignment> {
        let mut all = Vec::new();
        while !text.is_empty() {
            let (found, after) = assignment(text);
            all.extend(found.transpose().map(|found| found.map(Some)));
            text = after;
        }
        all
    }

    #[test]
    fn lines_are_read_as_they_stand() {
        for (text, expected) in [
            ("A=pa$word", "pa$word"),
            ("A=db://u:${secret://db:password}@h", "db://u:${secret://db:password}@h"),
            ("export A = x  # comment", "x"),
            ("A=x#y", "x#y"),
            ("A=", ""),
            ("A='x \\n $y' # comment", "x \\n $y"),
            ("A=\"x\\n\\\"$y\\\"\"\r", "x\n\"$y\""),
            ("# comment\n\nA='one\ntwo'\n", "one\ntwo"),
        ] {
            assert_eq!(all(text), [Ok(Some(("A".into(), expected.into())))], "{text:?}");
        }
    }

    #[test]
    fn a_bad_line_hides_no_other() {
        let found = all("canary\nA=1\n=x\nb c=1\nB='x' y\nC=2\nD=\"x\nE=3");
        assert_eq!(found.iter().filter(|found| found.is_err()).count(), 5);
        let names: Vec<_> = found.into_iter().flatten().flatten().map(|(name, _)| name).collect();
        assert_eq!(names, ["A", "C", "E"]);
    }

    proptest! {
        #[test]
        fn any_value_is_read_again(value in "(?s).{0,20}") {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(all(&format!("A=\"{escaped}\"")), [Ok(Some(("A".into(), value)))]);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[A=#'\"\\\\ \n\r$é]{0,30}|(?s).{0,30}") {
            let _ = all(&text);
        }
    }
}
