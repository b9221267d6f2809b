//! What the process has of the system: a terminal, and a number of files.

use std::fs::File;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::started::Started;

/// STOP-4: behind a person at a terminal there is no balancer to wait for; behind anybody else there
/// may be one.
pub(crate) fn who_is_at_a_terminal_waits_for_no_balancer() {
    const DELAY: Duration = Duration::from_secs(2);
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    for (signal, is_delayed) in [("INT", false), ("TERM", true)] {
        let stdin = File::open(&path).unwrap();
        let arguments = ["--set", "server.propagation_delay=2"];
        let service = Started::spawn_at(stdin, "plain", &arguments, &[]);
        service.wait_for_message("started");
        service.signal(signal);
        let end = service.end();
        assert_eq!((end.code, &end.last["outcome"]), (Some(0), &"clean".into()), "{:#}", end.last);
        assert_eq!(end.since_signal >= DELAY, is_delayed, "{signal}: {:?}", end.since_signal);
    }
}

/// HTTP-4: a process that began with few files has as many as the system allows.
pub(crate) fn files_are_as_many_as_are_allowed() {
    let before = getrlimit(Resource::Nofile);
    let few = Rlimit { current: Some(128), ..before };
    setrlimit(Resource::Nofile, few).unwrap();
    let service = Started::new("plain", &[]);
    setrlimit(Resource::Nofile, before).unwrap();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", service.id())).unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[0], files[1], "{limits}");
    assert_ne!(files[0], "128", "{limits}");
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
}
