//! Groups of one's own.

use core_health::{CheckOptions, Error, Health, Report};
use http::Method;

use crate::{ask, get, health, is_up, run_for, seconds, text};

/// A group of a good check and, if it is to fail, a diagnostic one that is not.
async fn grouped() -> Health {
    let health = health();
    health.check("database", async || Report::healthy()).unwrap();
    let diagnostic = CheckOptions::new().diagnostic();
    health.check_with("mail", diagnostic, async || Report::unhealthy("gone")).unwrap();
    health.check("search", async || Report::unhealthy("gone")).unwrap();
    health.group("ordering", &["mail", "database", "mail"]).unwrap();
    health.group("reading", &["database", "shutdown"]).unwrap();
    run_for(&health, seconds(1)).await;
    health
}

/// HLT-1: a group of one's own has a path, for its checks alone, each of which counts in full.
#[tokio::test(start_paused = true)]
async fn a_group_has_a_path() {
    let health = grouped().await;
    for (path, status, members) in [
        ("/health/ordering", 503, &["database", "mail"][..]),
        ("/healthz/ordering", 503, &["database", "mail"]),
        ("/health/ordering?exclude=mail", 200, &["database"]),
        ("/health/ordering/database", 200, &["database"]),
        ("/health/ordering/mail", 503, &["mail"]),
        ("/health/reading", 200, &["database", "shutdown"]),
    ] {
        let answer = get(&health, path);
        assert_eq!(answer.status, status, "{path}");
        let body = answer.json();
        assert_eq!(body["checks"].as_object().unwrap().keys().collect::<Vec<_>>(), members);
    }
    let verbose = text(&health, "/health/reading?verbose", false);
    assert_eq!(verbose, "[+]database ok\n[+]shutdown ok\nreading check passed\n");
    for path in [
        "/health/ordering/search",
        "/health/ordering/",
        "/health/ordering/mail/x",
        "/health/ready/ordering",
        "/livez/ordering",
        "/ordering",
    ] {
        assert!(ask(&health, Method::GET, path, "*/*", true).is_none(), "{path}");
    }
    assert!(is_up(&health, "/health/live"));
    health.stopping();
    assert!(!is_up(&health, "/health/reading"));
}

/// HLT-5: a name that is not there refuses the group, and leaves nothing of it.
#[tokio::test(start_paused = true)]
async fn unknown_names_are_refused() {
    let health = health();
    health.check("database", async || Report::healthy()).unwrap();
    let error = health.group("ordering", &["database", "databse"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "group `ordering` names the check `databse`, which is not registered"
    );
    assert!(ask(&health, Method::GET, "/health/ordering", "*/*", true).is_none());
    health.group("ordering", &["database"]).unwrap();
}

/// Groups and checks share their names: each is a path.
#[test]
fn a_group_takes_a_name() {
    let health = health();
    health.check("database", async || Report::healthy()).unwrap();
    health.group("ordering", &["database"]).unwrap();
    let taken = |name: &str| Error::Duplicate { name: name.into() };
    for name in ["database", "shutdown", "ordering"] {
        assert_eq!(health.group(name, &["database"]), Err(taken(name)));
    }
    assert_eq!(health.check("ordering", async || Report::healthy()), Err(taken("ordering")));
    for name in ["live", "ready", "A", "a/b", ""] {
        assert_eq!(health.group(name, &[]), Err(Error::Name { name: name.into() }));
    }
}
