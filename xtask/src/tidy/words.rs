//! No file names the place where it was written, or the hosts that packages came from: neither is
//! true elsewhere.

use super::tree::Tree;

/// Begun and never ended, so that this file does not name what it looks for.
const PATHS: &[&str] = &[concat!("/ro", "ot"), concat!("/wo", "rk")];
const HOSTS: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
];
/// Cargo writes the registry's address into it, wherever there is one.
const LOCK: &str = "Cargo.lock";

pub(crate) fn stay_at_work(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| path.rsplit('/').next() != Some(LOCK)) {
        for (at, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
            if PATHS.iter().any(|folder| names_path(line, folder)) {
                complaints.push(format!("{path}:{at}: names a folder of one machine"));
            }
            if HOSTS.iter().any(|host| line.contains(host)) {
                complaints.push(format!(
                    "{path}:{at}: names a registry's host; say \"the public registry\""
                ));
            }
        }
    }
    complaints
}

/// Whether a line names a folder by its absolute path; `a/root` and `/rooted` do not.
fn names_path(line: &str, folder: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || "_-.$}".contains(c);
    line.match_indices(folder)
        .any(|(at, _)| !line[..at].ends_with(part) && !line[at + folder.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, expected: &[&str]) {
        assert_eq!(stay_at_work(&Tree::of(&[(path, text)])), expected, "{text}");
    }

    #[test]
    fn folders_of_one_machine_are_found() {
        for folder in PATHS {
            let text = format!("fine\ncd {folder}/mira");
            check("docs/a.md", &text, &["docs/a.md:2: names a folder of one machine"]);
        }
    }

    #[test]
    fn hosts_are_found_and_cargos_own_file_may_name_them() {
        for host in HOSTS {
            let text = format!("get it from https://{host}/x");
            let complaint = "deny.toml:1: names a registry's host; say \"the public registry\"";
            check("deny.toml", &text, &[complaint]);
            check(LOCK, &text, &[]);
            check("benches/peers/Cargo.lock", &text, &[]);
        }
    }

    #[test]
    fn other_words_are_none_of_these() {
        check("a.rs", "/rooted /worker a/root b/work/c $HOME/work the root", &[]);
    }
}
