use core_log::{Config, Options, Record};
use core_types::{RequestId, Scope};
use tracing::{info, warn};

use crate::output::text_of;

fn work() {
    let scope = Scope::root()
        .with_correlation_id(core_types::CorrelationId::parse("c-1").unwrap())
        .with_request_id(RequestId::parse("r-1").unwrap());
    scope.run(|| info!(target: "mira", kind = "plan", note = "two words", count = 2, "Processing"));
    warn!(target: "mira::broker", bad = "a\u{1b}[31mb", "line\nbreak");
}

/// A line without its time, which is different every time.
fn timeless(text: &str) -> String {
    text.lines().map(|line| line.get(13..).unwrap_or(line).to_owned() + "\n").collect()
}

/// LOG-8: aligned lines with a human time; nothing in them moves the cursor.
#[test]
fn a_terminal_without_colours() {
    let options = Options::new().with_terminal(true).with_color(false);
    let text = text_of(&Config::default(), options, |_| work());
    assert!(text.starts_with(|c: char| c.is_ascii_digit()), "{text}");
    assert_eq!(&text[2..3], ":");
    assert_eq!(
        timeless(&text),
        " INFO mira  Processing  kind=plan note=\"two words\" count=2 correlation_id=c-1\n \
         WARN mira::broker  line\\nbreak  bad=\"a\\u001b[31mb\"\n"
    );
}

/// LOG-8: a long list does not push the rest of a line off the terminal; a short one is shown.
#[test]
fn long_lists_are_left_to_the_file() {
    let options = Options::new().with_terminal(true).with_color(false);
    let text = text_of(&Config::default(), options, |logging| {
        let long = format!("[{}]", vec!["1"; 100].join(","));
        let record = Record::new(tracing::Level::INFO, "t", "m").with_json("long", &long);
        logging.write(record.with_json("short", "[1,2]").with_text("last", "seen"));
    });
    assert_eq!(timeless(&text), " INFO t  m  long=[…] short=[1,2] last=seen\n");
}

/// LOG-8: neither a name nor a logger nor a value moves the cursor, by any control character.
#[test]
fn nothing_moves_the_cursor() {
    let options = Options::new().with_terminal(true).with_color(false);
    let text = text_of(&Config::default(), options, |logging| {
        let scope = Scope::new(core_types::CorrelationId::parse("c").unwrap());
        scope.with_field("na\nme\u{1b}[2J", "v").run(|| info!(target: "t", "m"));
        info!(target: "t", x = "a b\u{9b}2Jc", y = "\u{9b}", z = "\"\\", empty = "", "m");
        logging.write(Record::new(tracing::Level::INFO, "t\nt\u{9b}", "m"));
    });
    assert_eq!(
        timeless(&text),
        concat!(
            " INFO t  m  na\\nme\\u{1b}[2J=v correlation_id=c\n",
            r#" INFO t  m  x="a b\u{9b}2Jc" y="\u{9b}" z="\"\\" empty="""#,
            "\n INFO t\\nt\\u{9b}  m\n"
        )
    );
}

/// LOG-8: coloured where colours are welcome, as `NO_COLOR` asks otherwise.
#[test]
fn a_terminal_with_colours() {
    let coloured = |color| {
        let options = Options::new().with_terminal(true).with_color(color);
        text_of(&Config::default(), options, |_| work()).contains("\u{1b}[32m INFO\u{1b}[0m")
    };
    assert!(coloured(true));
    assert!(!coloured(false));
    let text = text_of(&Config::default(), Options::new().with_terminal(true), |_| work());
    // Only what is urgent is bold.
    assert!(text.contains("\u{1b}[1mline\\nbreak") && !text.contains("\u{1b}[1mProcessing"));
}

/// LOG-8: the setting decides, the terminal only by default.
#[test]
fn the_setting_decides() {
    for (is_terminal, json_format, is_json) in [
        (true, None, false),
        (false, None, true),
        (true, Some(true), true),
        (false, Some(false), false),
    ] {
        let mut config = Config::default();
        config.json_format = json_format;
        let text = text_of(&config, Options::new().with_terminal(is_terminal), |_| work());
        assert_eq!(text.starts_with('{'), is_json, "{is_terminal} {json_format:?}");
        // Text in a pipe has no colours.
        assert_eq!(text.contains('\u{1b}'), is_terminal && !is_json);
    }
}

/// LOG-8: a person can read a backtrace.
#[test]
fn a_backtrace_has_lines_of_its_own() {
    let text = text_of(
        &Config::default(),
        Options::new().with_terminal(true).with_color(false),
        |logging| {
            let record = core_log::Record::new(tracing::Level::ERROR, "panic", "on purpose");
            logging.write(
                record.with_text("backtrace", "0: one\n  at two\u{1b}\n").with_text("a", "b"),
            );
        },
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("ERROR panic  on purpose  a=b"), "{text}");
    assert_eq!(lines[1..], ["0: one", "  at two\\u{1b}"]);
}
