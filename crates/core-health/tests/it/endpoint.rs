//! HLT-4: paths, formats, and who sees what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use core_health::{CheckOptions, Component, Health, Heartbeat, Report};
use core_types::Status;
use http::{Method, StatusCode, header};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ask, asking, get, health, is_up, run_for, seconds, text};

const CANARY: &str = "password=hunter2";

/// One of each kind: `database` has run, `broker` is as told, `agents` is released, `loop` beats.
async fn one_of_each() -> (Health, Component, Heartbeat) {
    let health = health();
    let run = async || {
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        Report::healthy().with_data("pool", json!({"size": 8})).with_data("agent_count", 4)
    };
    health.check("database", run).unwrap();
    let diagnostic = CheckOptions::new().diagnostic();
    health.check_with("mail", diagnostic, async || Report::unhealthy(CANARY)).unwrap();
    health.latch("agents").unwrap().release();
    let (broker, beat) =
        (health.component("broker").unwrap(), health.heartbeat("loop", seconds(60)).unwrap());
    broker.healthy();
    run_for(&health, seconds(1)).await;
    (health, broker, beat)
}

/// HLT-4: every path and alias answers for its group, alone or by name.
#[tokio::test(start_paused = true)]
async fn every_path_answers_for_its_group() {
    let (health, _broker, _beat) = one_of_each().await;
    let groups: [(&[&str], &[&str]); 4] = [
        (&["/health", "/healthz"], &["agents", "broker", "database", "loop", "mail", "shutdown"]),
        (&["/health/live", "/livez"], &["loop"]),
        (&["/health/ready", "/readyz", "/ready"], &["agents", "broker", "database", "shutdown"]),
        (&["/health/startup", "/startupz"], &["agents"]),
    ];
    let every = groups[0].1;
    for (paths, members) in groups {
        for path in paths {
            let body = get(&health, path).json();
            assert_eq!(body["checks"].as_object().unwrap().keys().collect::<Vec<_>>(), members);
            for name in every {
                let target = format!("{path}/{name}");
                let answer = ask(&health, Method::GET, &target, "*/*", false);
                assert_eq!(answer.is_some(), members.contains(name), "{target}");
                let Some(answer) = answer else { continue };
                assert_eq!(answer.status, if *name == "mail" { 503 } else { 200 }, "{target}");
                let body = answer.json();
                assert_eq!(body["checks"].as_object().unwrap().keys().collect::<Vec<_>>(), [name]);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_is_left_alone() {
    let (health, _broker, _beat) = one_of_each().await;
    for target in [
        "/",
        "*",
        "/health/",
        "/health//",
        "/healthy",
        "/health/nobody",
        "/health/live/nobody",
        "/health/live/database",
        "/health/ready/loop",
        "/health/database/",
        "/health/database/x",
        "/livez/",
        "/readyzz",
        "/health/Database",
        "/health/%64atabase",
        "/metrics",
        "/x/health",
        "//health",
        "/startup",
        "/live",
        "/healthz/live",
        "/health/healthz",
    ] {
        for method in [Method::GET, Method::POST] {
            assert!(ask(&health, method, target, "*/*", true).is_none(), "{target}");
        }
    }
}

/// HLT-4: nothing but GET and HEAD; HEAD is GET without the body.
#[tokio::test(start_paused = true)]
async fn only_get_and_head_are_answered() {
    let (health, broker, _beat) = one_of_each().await;
    let paths = ["/health", "/livez", "/ready", "/health/ready/database"];
    for path in paths {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"] {
            let answer = ask(&health, method.parse().unwrap(), path, "text/plain", true).unwrap();
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.headers[header::ALLOW], "GET, HEAD");
            assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
            assert_eq!(answer.body, "");
        }
    }
    for (told, status) in [(Status::Healthy, 200), (Status::Unhealthy, 503)] {
        broker.update(told, None);
        assert_eq!(get(&health, "/ready").status, status);
        for path in paths {
            let full = ask(&health, Method::GET, path, "text/plain", false).unwrap();
            let head = ask(&health, Method::HEAD, path, "text/plain", false).unwrap();
            // Whoever sends a body knows its length; without one it has to be told.
            let mut headers = head.headers.clone();
            let length = headers.remove(header::CONTENT_LENGTH).unwrap();
            assert_eq!((head.status, &headers), (full.status, &full.headers));
            assert_eq!(length, full.body.len().to_string());
            assert_eq!(head.body, "");
        }
    }
}

/// HLT-4: JSON as in the founding documents.
#[tokio::test(start_paused = true)]
async fn json_is_as_the_founding_documents_have_it() {
    let (health, broker, _beat) = one_of_each().await;
    broker.degraded("slow");
    let answer = get(&health, "/health/ready");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let mut body = answer.json();
    let timestamp = body["timestamp"].take();
    let timestamp = timestamp.as_str().unwrap();
    assert_eq!(timestamp.len(), "2024-01-15T10:30:00.000000Z".len());
    assert!(timestamp.ends_with('Z'), "{timestamp}");
    let status = |status: &str| json!({"status": status});
    assert_eq!(
        body,
        json!({
            "status": "degraded",
            "timestamp": null,
            "uptime_seconds": 1.0,
            "version": "1.2.3",
            "checks": {
                "agents": status("healthy"),
                "broker": status("degraded"),
                "database": {
                    "status": "healthy",
                    "latency_ms": 3.0,
                    "data": {"agent_count": 4, "pool": {"size": 8}},
                },
                "shutdown": status("healthy"),
            },
        })
    );
    let order = ["{\"status\"", "\"timestamp\"", "\"uptime_seconds\"", "\"version\"", "\"checks\""];
    let at: Vec<_> = order.iter().map(|key| answer.body.find(key).unwrap()).collect();
    assert!(at.is_sorted(), "{}", answer.body);
}

/// HLT-4: who asks for something that is not there, or may see more, gets what everybody gets.
#[tokio::test(start_paused = true)]
async fn the_short_way_leads_to_the_same_answer() {
    let (health, broker, beat) = one_of_each().await;
    let answer = |path: &str, accept: &str, details| {
        let answer = ask(&health, Method::GET, path, accept, details).unwrap();
        let body = if accept == "text/plain" {
            Value::from(answer.body)
        } else {
            let mut body = answer.json();
            body["timestamp"].take();
            body
        };
        (answer.status, answer.headers, body)
    };
    let check = || {
        for path in ["/health", "/health/live", "/health/ready", "/health/startup"] {
            for accept in ["*/*", "text/plain"] {
                let short = answer(path, accept, false);
                assert_eq!(answer(&format!("{path}?x"), accept, false), short, "{path}");
                if path == "/health/startup" || accept == "text/plain" {
                    assert_eq!(answer(path, accept, true), short, "{path}");
                }
            }
        }
    };
    check();
    broker.unhealthy("gone");
    check();
    drop(beat);
    check();
}

/// HLT-4: a host's own way for probes leads to the same answer, and ends where there is more to say.
#[tokio::test(start_paused = true)]
async fn good_news_is_the_same_answer() {
    let (health, broker, _beat) = one_of_each().await;
    let good_news = |method, target, accept| health.good_news(&asking(method, target, accept));
    for probe in ["/health", "/healthz", "/livez", "/health/ready", "/ready", "/health/startup"] {
        for accept in ["*/*", "text/plain"] {
            let news = good_news(Method::GET, probe, accept).unwrap();
            let answer = ask(&health, Method::GET, probe, accept, false).unwrap();
            assert_eq!(news.probe, probe);
            assert_eq!(news.content_type, answer.headers["content-type"]);
            let timeless = |body: &[u8]| match serde_json::from_slice::<Value>(body) {
                Ok(mut body) => {
                    body["timestamp"].take();
                    body.to_string()
                }
                Err(_) => String::from_utf8(body.to_vec()).unwrap(),
            };
            assert_eq!(timeless(&news.body), timeless(answer.body.as_bytes()));
        }
    }
    for (method, target, accept) in [
        (Method::HEAD, "/health", "*/*"),
        (Method::POST, "/health", "*/*"),
        (Method::GET, "/health?verbose", "text/plain"),
        (Method::GET, "/health/live/loop", "*/*"),
        (Method::GET, "/health", "application/health+json"),
        (Method::GET, "/", "*/*"),
    ] {
        assert!(good_news(method, target, accept).is_none(), "{target}");
    }
    broker.unhealthy("gone");
    assert!(good_news(Method::GET, "/ready", "*/*").is_none(), "bad news");
    assert!(good_news(Method::GET, "/livez", "*/*").is_some());
}

/// HLT-4: whoever has told something gets an answer that knows it, however many ask meanwhile.
#[test]
fn what_was_told_is_known() {
    let health = health();
    let queue = health.component("queue").unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    get(&health, "/health/ready");
                }
            });
        }
        for told in [Status::Healthy, Status::Unhealthy].into_iter().cycle().take(2000) {
            queue.update(told, None);
            let answer = ask(&health, Method::GET, "/health/ready", "text/plain", false).unwrap();
            if answer.body != told.as_str() {
                is_over.store(true, Ordering::Relaxed);
            }
            assert_eq!(answer.body, told.as_str());
        }
        is_over.store(true, Ordering::Relaxed);
    });
}

/// HLT-4: an answer tells of everything that changed since the last one, however little.
#[test]
fn json_follows_every_change() {
    let health = health();
    let queue = health.component("queue").unwrap();
    let is_now = |expected: Value| {
        for _ in 0..2 {
            assert_eq!(get(&health, "/health/ready").json()["checks"]["queue"], expected);
        }
    };
    is_now(json!({"status": "unknown"}));
    queue.healthy();
    is_now(json!({"status": "healthy"}));
    queue.set_data("queued", 3);
    is_now(json!({"status": "healthy", "data": {"queued": 3}}));
    queue.set_data("queued", 4);
    is_now(json!({"status": "healthy", "data": {"queued": 4}}));
    queue.degraded("slow");
    is_now(json!({"status": "degraded", "data": {"queued": 4}}));
    drop(queue);
    is_now(json!({"status": "unhealthy", "data": {"queued": 4}}));
}

/// HLT-3, HLT-4: so does each run of a check.
#[tokio::test(start_paused = true)]
async fn json_follows_every_run() {
    let health = health();
    let runs = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&runs);
    let check = move || {
        let run = counted.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(run)).await;
            Report::healthy().with_data("run", run)
        }
    };
    health.check("database", check).unwrap();
    for _ in 0..3 {
        run_for(&health, seconds(12)).await;
        let body = get(&health, "/health/ready").json();
        let run = runs.load(Ordering::Relaxed);
        let expected = json!({"status": "healthy", "latency_ms": run as f64, "data": {"run": run}});
        assert_eq!(body["checks"]["database"], expected);
    }
    assert!(runs.load(Ordering::Relaxed) > 2);
}

/// HLT-4: `application/health+json` by `Accept`.
#[tokio::test(start_paused = true)]
async fn health_json_is_as_the_draft_has_it() {
    let (health, broker, _beat) = one_of_each().await;
    broker.degraded("slow");
    let media_type = "application/health+json";
    let answer = ask(&health, Method::GET, "/health?exclude=x", media_type, true).unwrap();
    assert_eq!(
        (answer.status, &answer.headers[header::CONTENT_TYPE]),
        (200, &header::HeaderValue::from_static(media_type))
    );
    let mut body = answer.json();
    for name in ["agents", "broker", "database", "loop", "mail", "shutdown"] {
        let time = body["checks"][name][0]["time"].take();
        assert!(time.as_str().unwrap().ends_with('Z'), "{name}");
    }
    let pass = || json!([{"status": "pass", "time": null}]);
    assert_eq!(
        body,
        json!({
            "status": "warn",
            "releaseId": "1.2.3",
            "checks": {
                "agents": pass(),
                "broker": [{"status": "warn", "time": null, "output": "slow"}],
                "database": [{
                    "status": "pass", "time": null, "observedValue": 3.0, "observedUnit": "ms",
                    "data": {"agent_count": 4, "pool": {"size": 8}},
                }],
                "loop": pass(),
                "mail": [{
                    "status": "fail", "time": null, "observedValue": 0.0, "observedUnit": "ms",
                    "output": CANARY,
                }],
                "shutdown": pass(),
            },
            "notes": ["some checks cannot be excluded: no matches for \"x\""],
        })
    );
    let never_ran = crate::health();
    never_ran.check("database", async || Report::healthy()).unwrap();
    let answer = ask(&never_ran, Method::GET, "/readyz/database", media_type, false).unwrap();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["checks"]["database"], json!([{"status": "fail"}]));
}

/// HLT-4: one word by `Accept: text/plain`; with `?verbose` a line per check.
#[tokio::test(start_paused = true)]
async fn text_is_one_word_or_a_line_per_check() {
    let (health, broker, _beat) = one_of_each().await;
    assert_eq!(text(&health, "/health/ready", true), "healthy");
    assert_eq!(text(&health, "/health", true), "degraded", "mail is gone, and diagnostic");
    assert_eq!(text(&health, "/health/mail", true), "unhealthy");
    broker.unhealthy("gone\n[+]broker ok");
    assert_eq!(text(&health, "/readyz", true), "unhealthy");
    assert_eq!(
        text(&health, "/health?verbose", false),
        "[+]agents ok\n[-]broker failed: reason withheld\n[+]database ok\n[+]loop ok\n\
         [-]mail failed: reason withheld\n[+]shutdown ok\nhealth check failed\n"
    );
    assert_eq!(
        text(&health, "/readyz?verbose=1&exclude=agents,nobody&exclude=database", true),
        "[-]broker failed: gone [+]broker ok\n[+]shutdown ok\n[+]agents excluded: ok\n\
         [+]database excluded: ok\n\
         warn: some checks cannot be excluded: no matches for \"nobody\"\nready check failed\n"
    );
    broker.degraded("slow");
    assert_eq!(
        text(&health, "/readyz/broker?verbose", true),
        "[+]broker degraded: slow\nready check passed\n"
    );
    let answer = ask(&health, Method::GET, "/livez", "text/plain", false).unwrap();
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
}

/// HLT-4: 406 is never sent, whatever a caller accepts.
#[tokio::test(start_paused = true)]
async fn every_accept_is_answered() {
    let (health, _broker, _beat) = one_of_each().await;
    for (accept, expected) in [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
        ("application/xml;q=0.9, */*;q=0", "application/json"),
        ("application/health+json, application/json;q=0.9", "application/health+json"),
        ("application/json;q=0.1, text/plain;q=0.2", "text/plain; charset=utf-8"),
    ] {
        for path in ["/health", "/livez", "/readyz", "/startupz", "/health/database"] {
            let answer = ask(&health, Method::GET, path, accept, false).unwrap();
            assert_eq!(answer.headers[header::CONTENT_TYPE], expected, "{accept:?}");
        }
    }
}

/// HLT-4: what is excluded does not count; a name that is not there is a warning, not an error.
#[test]
fn excluded_checks_do_not_count() {
    let health = health();
    let (broker, cache) = (health.component("broker").unwrap(), health.component("cache").unwrap());
    broker.unhealthy("gone");
    cache.unhealthy("gone");
    for (query, up) in [
        ("", false),
        ("?exclude=broker", false),
        ("?exclude=broker&exclude=cache", true),
        ("?exclude=broker,cache", true),
        ("?exclude=broker%2Ccache", true),
        ("?verbose&exclude=cache%2cbroker&x=y", true),
        ("?exclude", false),
        ("?exclude=", false),
        ("?exclude=brokercache", false),
    ] {
        assert_eq!(is_up(&health, &format!("/health/ready{query}")), up, "{query}");
    }
    let body = get(&health, "/health/ready?exclude=broker,nobody&exclude=x%22y").json();
    assert_eq!(body["checks"].get("broker"), None);
    assert_eq!(body["checks"]["cache"]["status"], "unhealthy");
    let warning = "some checks cannot be excluded: no matches for \"nobody\", \"x%22y\"";
    assert_eq!(body["warning"], warning);
    assert_eq!(get(&health, "/health").json().get("warning"), None);
}

/// HLT-4: no answer shows a reason to a caller who may not see details.
#[tokio::test(start_paused = true)]
async fn reasons_are_withheld() {
    let (health, broker, _beat) = one_of_each().await;
    health.check("panics", async || -> Report { panic!("{CANARY}") }).unwrap();
    run_for(&health, seconds(1)).await;
    for state in 0..2 {
        if state == 0 {
            broker.unhealthy(CANARY);
        } else {
            broker.degraded(CANARY);
        }
        for path in
            ["/health", "/readyz", "/livez", "/startupz", "/health/broker", "/readyz/panics"]
        {
            for query in ["", "?verbose", "?verbose&exclude=database,nobody"] {
                for accept in ["application/json", "application/health+json", "text/plain"] {
                    let target = format!("{path}{query}");
                    let answer = ask(&health, Method::GET, &target, accept, false).unwrap();
                    assert!(!answer.body.contains("hunter2"), "{accept} {target}: {}", answer.body);
                    assert!(!format!("{:?}", answer.headers).contains("hunter2"));
                    let answer = ask(&health, Method::GET, &target, accept, true).unwrap();
                    let one_word = accept == "text/plain" && query.is_empty();
                    let shown = !(one_word || path == "/livez" || path == "/startupz");
                    assert_eq!(answer.body.contains("hunter2"), shown, "{accept} {target}");
                }
            }
        }
    }
}

proptest! {
    /// Whatever is asked, the answer is one, and JSON is JSON.
    #[test]
    fn no_target_makes_it_panic(path in "/(health|readyz|livez)?(/[a-z%./]{0,8})?", query in "[a-z=&%,\"+;?]{0,40}") {
        let health = health();
        let _broker = health.component("broker").unwrap();
        let target = format!("{path}?{query}");
        if target.parse::<http::Uri>().is_ok()
            && let Some(answer) = ask(&health, Method::GET, &target, "*/*", true)
        {
            prop_assert!(answer.json()["status"].is_string());
        }
    }
}
