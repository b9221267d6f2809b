//! What a person at a terminal is told, on the standard error: never in a pipe.

use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;

use crate::say::aside;

/// Whether a person looks.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Tells the two addresses, and what can be tried.
pub(crate) fn started(name: &str, app: SocketAddr, ops: SocketAddr, hints: &[String]) {
    if !is_watched() {
        return;
    }
    let (app, ops) = (format!("http://{app}"), format!("http://{ops}"));
    let mut text =
        format!("\n{name} is running\n  app  {app}\n  ops  {ops}\n\nTry in another terminal:\n");
    let common = ["curl -s {ops}/health".to_owned(), "curl -s {ops}/metrics".to_owned()];
    for hint in hints.iter().chain(&common) {
        let hint = hint.replace("{app}", &app).replace("{ops}", &ops);
        text.push_str(&format!("  {hint}\n"));
    }
    aside(&format!("{text}\nCtrl-C stops it in order, a second Ctrl-C at once.\n\n"));
}

/// Tells why the service does not start; this is told in a pipe, too.
pub(crate) fn refused(name: &str, error: &str) {
    aside(&format!("{name}: {error}\n"));
}
