use core_types::Secret;
use mira::webhook::{self, Delivery, Provider};
use mira::{Error, Kind};
use proptest::prelude::*;
use serde_json::json;

use crate::support::today;

/// `hmac.new(b"It's a Secret to Everybody", b"Hello, World!", "sha256").hexdigest()` in Python; the
/// example of GitHub's own documentation.
const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

fn secret() -> Secret<String> {
    "It's a Secret to Everybody".into()
}

fn delivery<'r>(signature: Option<&'r str>, body: &'r [u8]) -> Delivery<'r> {
    Delivery { signature, id: None, event: None, body }
}

#[test]
fn a_signature_is_checked_over_the_raw_body() {
    let verify = |signature, body: &[u8]| {
        webhook::verify(Provider::Github, &secret(), &delivery(signature, body))
    };
    let body = b"Hello, World!";
    verify(Some(SIGNATURE), body).expect("right");
    let upper = SIGNATURE.replace("ea0eb", "EA0EB");
    verify(Some(&upper), body).expect("digits in any case");

    let wrong = SIGNATURE.replace("757107", "757108");
    let short = &SIGNATURE[..SIGNATURE.len() - 2];
    let long = format!("{SIGNATURE}00");
    let sha1 = SIGNATURE.replace("sha256=", "sha1=");
    let signed = SIGNATURE.replace("=75", "=+5");
    let wide = format!("sha256={}", "é".repeat(32));
    for bad in ["", "sha256=", &SIGNATURE[7..], &wrong, short, &long, &sha1, &signed, &wide] {
        let error = verify(Some(bad), body).expect_err(bad);
        assert_eq!((error.kind(), error.to_string()), (Kind::Unauthorized, UNFIT.into()));
    }
    for body in [&b"Hello, World"[..], b""] {
        assert_eq!(verify(Some(SIGNATURE), body).expect_err("wrong").to_string(), UNFIT);
    }
    let other = &"other".into();
    let other = webhook::verify(Provider::Github, other, &delivery(Some(SIGNATURE), body));
    assert_eq!(other.expect_err("another secret").kind(), Kind::Unauthorized);
}

const UNFIT: &str = "the signature does not fit the body: header `X-Hub-Signature-256`";

#[test]
fn a_missing_signature_is_said_to_be_missing() {
    for (provider, header) in
        [(Provider::Github, "X-Hub-Signature-256"), (Provider::Jira, "X-Hub-Signature")]
    {
        let error = webhook::verify(provider, &secret(), &delivery(None, b"")).expect_err("none");
        assert_eq!(error.kind(), Kind::Unauthorized);
        assert_eq!(error.to_string(), format!("the signature is missing: header `{header}`"));
        assert_eq!(error.details(), json!({ "header": header }));
    }
}

#[test]
fn a_delivery_is_known_by_its_id_or_its_body() {
    let key = |provider, id, body: &[u8]| {
        webhook::delivery_key(provider, &Delivery { id, ..delivery(None, body) })
    };
    let uuid = Some("72d3162e-cc78-11e3-81ab-4c9367dc0958");
    assert_eq!(key(Provider::Github, uuid, b"a"), "github.id.72d3162e-cc78-11e3-81ab-4c9367dc0958");
    assert_eq!(key(Provider::Github, uuid, b"a"), key(Provider::Github, uuid, b"b"));
    assert_ne!(key(Provider::Github, uuid, b"a"), key(Provider::Jira, uuid, b"a"));
    assert_ne!(key(Provider::Jira, None, b"a"), key(Provider::Jira, None, b"b"));
    // `hashlib.sha256(b"a").hexdigest()` in Python.
    let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    assert_eq!(key(Provider::Jira, None, b"a"), format!("jira.body.{hash}"));
    assert_eq!(key(Provider::Jira, Some("a b"), b""), key(Provider::Jira, Some("a b"), b"x"));
    // Whatever the id is, the key is one that a store takes.
    for id in ["", "*", ">", "a.b", "é", "a\nb", &"x".repeat(10_000), "body"] {
        let key = key(Provider::Jira, Some(id), b"");
        assert!(
            key.len() < 150 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b)),
            "{key}"
        );
        assert!(!key.ends_with('.'));
    }
}

#[test]
fn a_new_issue_on_github_asks_for_a_project() {
    let body = json!({
        "action": "opened",
        "repository": { "full_name": "octo/shop" },
        "issue": {
            "number": 7,
            "title": " Sell\tonline ",
            "body": "Why: money.\r\n- [ ] Serve 100 customers\n- [x] Done before\n* [ ]  Launch \n- [ ]\n",
            "assignees": [{ "login": "grace" }, { "login": "ada" }, { "login": "ada" }, {}],
        },
    })
    .to_string();
    let read = |event| {
        let delivery = Delivery { event, ..delivery(None, body.as_bytes()) };
        webhook::read(Provider::Github, &delivery, today())
    };
    let event = read(Some("issues")).expect("an event");
    assert_eq!((event.name.as_str(), event.action.as_deref()), ("issues", Some("opened")));
    assert_eq!(event.subject.as_deref(), Some("octo/shop#7"));
    let brief = event.brief.expect("a project");
    assert_eq!((brief.name.as_str(), brief.start_date), ("Sellonline", today()));
    assert_eq!(brief.goals, ["Serve 100 customers", "Launch"]);
    let team: Vec<&str> = brief.team.iter().map(|member| &*member.name).collect();
    assert_eq!(team, ["ada", "grace"]);
    assert!(read(Some("push")).expect("an event").brief.is_none());
    assert!(read(Some("what-comes-next-year")).expect("an event").brief.is_none());
    let Err(Error::Invalid { mistakes }) = read(None) else { panic!("the event has no name") };
    assert_eq!(mistakes[0].field, "X-GitHub-Event");
}

#[test]
fn a_new_issue_in_jira_asks_for_a_project() {
    let mut body = json!({
        "webhookEvent": "jira:issue_created",
        "issue_event_type_name": "issue_created",
        "issue": {
            "key": "SHOP-7",
            "fields": {
                "summary": "Sell online",
                "description": "- [ ] Serve 100 customers",
                "assignee": { "displayName": "Ada" },
            },
        },
    });
    let read = |body: &serde_json::Value| {
        let body = body.to_string();
        webhook::read(Provider::Jira, &delivery(None, body.as_bytes()), today())
    };
    let event = read(&body).expect("an event");
    assert_eq!(event.subject.as_deref(), Some("SHOP-7"));
    let brief = event.brief.expect("a project");
    assert_eq!((brief.name.as_str(), brief.goals.len(), brief.team.len()), ("Sell online", 1, 1));
    // Jira Cloud writes descriptions as documents; there is a project none the less.
    body["issue"]["fields"]["description"] = json!({ "type": "doc" });
    assert_eq!(read(&body).expect("an event").brief.expect("a project").description, "");
    body["webhookEvent"] = json!("jira:issue_deleted");
    assert!(read(&body).expect("an event").brief.is_none());
    body["webhookEvent"] = json!(7);
    assert_eq!(read(&body).expect_err("no name").kind(), Kind::Invalid);
}

#[test]
fn hostile_bodies_are_refused_or_cut() {
    let read = |body: &[u8]| {
        let delivery = Delivery { event: Some("issues"), ..delivery(None, body) };
        webhook::read(Provider::Github, &delivery, today())
    };
    for bad in [&b""[..], b"[]", b"7", b"\xff", b"payload=%7B%7D", &b"[".repeat(100_000)] {
        assert_eq!(read(bad).expect_err("no object").kind(), Kind::Invalid);
    }
    let huge = json!({
        "action": "opened",
        "issue": {
            "title": "\u{10000}".repeat(100_000),
            "body": "- [ ] \u{10000}\u{0}\n".repeat(100_000),
            "assignees": (0..10_000).map(|i| json!({ "login": format!("{i}") })).collect::<Vec<_>>(),
        },
    });
    let event = read(huge.to_string().as_bytes()).expect("an event");
    assert!(serde_json::to_vec(&event).expect("JSON").len() < 200_000);
    let brief = event.brief.expect("a project");
    assert_eq!((brief.name.chars().count(), brief.goals.len(), brief.team.len()), (200, 50, 100));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body: Vec<u8>, signature: Option<String>, id: Option<String>) {
        let event = id.as_deref();
        let delivery = Delivery { signature: signature.as_deref(), id: event, event, body: &body };
        for provider in [Provider::Github, Provider::Jira] {
            prop_assert!(webhook::verify(provider, &secret(), &delivery).is_err());
            let _ = webhook::delivery_key(provider, &delivery);
            let _ = webhook::read(provider, &delivery, today());
        }
    }
}
