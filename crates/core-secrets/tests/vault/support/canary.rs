//! Secrets that can be found wherever they are said: others in each run.

use std::fmt::Display;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

/// A secret of this run, by a name within it. `cargo xtask test secrets` says which run it is, and
/// afterwards looks for its secrets in all that was said and left.
pub(crate) fn canary(name: impl Display) -> String {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        #[expect(clippy::disallowed_methods, reason = "set by the suite")]
        let of_the_suite = std::env::var("MIRA_TEST_CANARY");
        of_the_suite.unwrap_or_else(|_| format!("{:016x}", RandomState::new().hash_one(())))
    });
    format!("canary-{}-{name}", *RUN)
}
