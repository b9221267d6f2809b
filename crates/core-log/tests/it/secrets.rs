use core_log::{Config, Logging, Options, Record};
use core_types::{ByteSize, Scope, Secret};
use serde_json::json;
use tracing::{Level, info, info_span};

use crate::output::{booting, lines_of, strict};

fn redacting() -> Config {
    let mut config = Config::default();
    config.redact = vec!["SSN".into(), "user_id".into()];
    config
}

/// LOG-7, SEC-6: secrets are masked by type, by name and by value.
#[test]
fn secrets_stay_out() {
    let canary = Secret::new(String::from("canary-\"value\""));
    let lines = lines_of(&redacting(), |logging| {
        logging.scrub(std::slice::from_ref(&canary));
        let value = canary.expose().as_str();
        let _span = info_span!("span", db_password = value, note = value).entered();
        info!(token = value, ssn = value, secret = ?canary, seen = value, "with {value}");
        logging.write(Record::new(Level::INFO, "x", value).with_text("text", value));
    });
    for line in &lines {
        assert!(!json!(line).to_string().contains("canary"), "{line:?}");
    }
    assert_eq!(lines[0]["db_password"], "[REDACTED]");
    assert_eq!(lines[0]["seen"], "[REDACTED]");
    assert_eq!(lines[0]["message"], "with [REDACTED]");
    assert_eq!(lines[1]["text"], "[REDACTED]");
}

/// LOG-7: a name hides its value wherever it comes from, by the rules of the moment.
#[test]
fn names_hide_values_everywhere() {
    type Case<'a> = (&'a str, &'a dyn Fn(&Logging));
    let cases: [Case<'_>; 7] = [
        ("event", &|_| info!(api_token = "canary", "m")),
        ("number", &|_| info!(ssn = 123_456_789, password = 1.5, "m")),
        ("scope", &|_| {
            let scope = Scope::root().with_field("api_token", "canary").with_user_id("canary");
            scope.with_field("ssn", "canary").run(|| info!("m"));
        }),
        ("record", &|logging| {
            let record = Record::new(Level::INFO, "x", "m").with_text("token", "canary");
            let record = record.with_number("ssn", 123_456_789);
            logging.write(record.with_json("list", r#"[{"password":["canary"]}]"#));
        }),
        ("older span", &|logging| {
            let _span = info_span!("span", ssn = "canary", plain = 1).entered();
            logging.configure(&redacting());
            info!("m");
        }),
        ("recorded", &|_| {
            let span = info_span!("span", ssn = tracing::field::Empty).entered();
            span.record("ssn", "canary");
            info!("m");
        }),
        ("renamed", &|logging| {
            let mut config = Config::default();
            config.redact = vec!["thread".into()];
            logging.configure(&config);
            info!(thread = "canary", "m");
        }),
    ];
    for (name, work) in cases {
        for is_early in [false, true] {
            let text = booting(Options::new(), |logging| {
                if !is_early {
                    logging.configure(&redacting());
                }
                work(logging);
                if is_early && name != "renamed" {
                    logging.configure(&redacting());
                }
            });
            let line = strict(text.trim_end());
            let hidden = text.matches("[REDACTED]").count();
            let is_shown = text.contains("canary") || text.contains("123456789");
            assert!(!is_shown && hidden > 0, "{name} {is_early}: {line:?}");
        }
    }
}

/// LOG-7, LOG-1: a known value is found in whatever form, and what is around it stays JSON.
#[test]
fn known_values_are_scrubbed() {
    #[derive(Debug)]
    struct Holder {
        #[expect(dead_code, reason = "printed")]
        key: &'static str,
    }
    const KEY: &str = "-----BEGIN\ncanary\n-----END";
    let mut config = Config::default();
    config.max_value = ByteSize::from_bytes(64);
    let secrets = [KEY, "123456", "northwind", "canary-canary", "message", "thread"];
    let lines = lines_of(&config, |logging| {
        logging.scrub(&secrets.map(Secret::from));
        info!(holder = ?Holder { key: KEY }, "{:?}", Holder { key: KEY });
        info!(count = 1_234_567, half = 0.123_456_7, "x\northwind");
        info!(cut = format!("{}canary-canary", "x".repeat(58)), "hello");
        Scope::root().with_field("canary-canary", "x").run(|| info!("{KEY}"));
        logging.scrub(&[]);
        info!("northwind");
    });
    assert!(!json!(lines[..4]).to_string().contains("canary"), "{lines:?}");
    assert_eq!(lines[0]["holder"], "Holder { key: \"[REDACTED]\" }");
    assert_eq!(lines[1]["count"], "[REDACTED]7");
    assert_eq!(lines[1]["message"], "x\northwind");
    assert_eq!(lines[2]["cut"], format!("{}[REDACTED]…[cut, 71 bytes in all]", "x".repeat(58)));
    assert_eq!(lines[3]["message"], "[REDACTED]");
    assert_eq!(lines[4]["message"], "northwind");
}
