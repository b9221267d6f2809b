//! What a settings type declares beside its types: other names, ends, restarts, documentation.

use std::collections::BTreeMap;

use core_config::schemars::{self, JsonSchema};
use core_config::{Catalog, Effective, Key, Loader, Validate};
use core_types::{Duration, Secret};
use expect_test::expect;
use serde::{Deserialize, Serialize};

use crate::settings::{Folder, variables};

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Declared {
    /// Who it is.
    name: String,
    /// Where it listens.
    #[schemars(extend("x-restart" = true))]
    server: Server,
    /// Names of teams.
    labels: BTreeMap<String, u8>,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Server {
    /// The port. Default: 80.
    ///
    /// It is the second of two paragraphs that make the text so long that it does not fit into one
    /// line of an example, however it is broken.
    #[schemars(extend("x-former" = ["listen", "old_port"], "x-refused" = ["socket"], "x-short" = ["PORT"]))]
    port: u16,
    /// How long.
    #[schemars(extend("x-deprecated" = "set `name` instead", "x-env" = ["PATIENCE"]))]
    wait: Option<Duration>,
    #[serde(skip_serializing)]
    token: Option<Secret<String>>,
}

impl Default for Server {
    fn default() -> Self {
        Self { port: 80, wait: None, token: None }
    }
}

impl Default for Declared {
    /// The port is another than a server's own default, as long as nothing is said of the server.
    fn default() -> Self {
        let server = Server { port: 81, ..Server::default() };
        Self { name: String::new(), server, labels: BTreeMap::new() }
    }
}

impl Validate for Declared {}

fn load(text: &str, pairs: &[(&str, &str)]) -> Result<(Declared, Vec<String>), String> {
    let folder = Folder::new(&[("a.toml", text)]);
    let loader = Loader::<Declared>::new().with_file(folder.path("a.toml"));
    match loader.with_environment("APP", variables(pairs)).load() {
        Ok(loaded) => {
            let warnings = loaded.warnings.iter().map(|warning| folder.strip(&warning.to_string()));
            Ok((loaded.settings, warnings.collect()))
        }
        Err(error) => Err(folder.strip(&error.to_string())),
    }
}

/// CFG-5: a former name is read and warned of, then refused; what is about to go is warned of.
#[test]
fn keys_come_and_go() {
    let (settings, warnings) = load("server = {old_port = 1, wait = '1s'}", &[]).unwrap();
    assert_eq!(settings.server.port, 1);
    expect![[r#"
        [
            "a.toml:1:22: server.old_port: is now called `server.port`, and will be refused",
            "a.toml:1:32: server.wait: is deprecated: set `name` instead",
        ]
    "#]]
    .assert_debug_eq(&warnings);

    // The present name wins, and a stronger source does whatever name it uses.
    let (settings, warnings) =
        load("server = {listen = 1, port = 2}", &[("APP_SERVER_LISTEN", "3")]).unwrap();
    assert_eq!((settings.server.port, warnings.len()), (3, 2));
    assert!(warnings[1].starts_with("variable APP_SERVER_LISTEN: server.listen: is now"));
    assert_eq!(load("server = {listen = 1, port = 2}", &[]).unwrap().0.server.port, 2);

    expect![[r#"
        configuration refused, 2 problems:
          a.toml:1:18: server.port: expected a whole number from 0 to 65535, found a text
          a.toml:1:37: server.socket: is called `server.port` now"#]]
    .assert_eq(&load("server = {port = 'canary', socket = 2}", &[]).unwrap_err());
    assert_eq!(load("", &[]).unwrap().1, Vec::<String>::new());
}

/// CFG-8: what counts only after a restart is declared once, and told wherever it matters.
#[test]
fn restarts_are_declared() {
    let catalog = Catalog::of::<Declared>("APP");
    let needs_restart = |key: &str| catalog.needs_restart(&Key::parse(key).unwrap());
    assert!(needs_restart("server.port") && needs_restart("server.token"));
    assert!(!needs_restart("name") && !needs_restart("labels.a") && !needs_restart("server"));
    let effective = Loader::<Declared>::new().load().unwrap().effective;
    let explain = |key: &str| effective.explain(&Key::parse(key).unwrap())[0].to_string();
    let expected = "server.port = 81\n  from default\n  a change counts after a restart\n";
    assert_eq!(explain("server.port"), expected);
    assert_eq!(explain("name"), "name = \"\"\n  from default\n");
}

/// CFG-8: an edit of what a stronger source overrides is told, with what overrides it; secrets too.
#[test]
fn an_edit_without_effect_is_told() {
    let folder = Folder::new(&[]);
    let read = |text: &str, port: &str| -> Effective {
        folder.write("a.toml", text);
        Loader::<Declared>::new()
            .with_file(folder.path("a.toml"))
            .with_environment("APP", variables(&[("APP_SERVER_PORT", port)]))
            .with_set("server.token=canary")
            .load()
            .unwrap()
            .effective
    };
    let first = read("server = {port = 1, token = 'a'}", "5");
    let vain = |text: &str, port: &str| -> Vec<String> {
        let next = read(text, port);
        let vain = next.edited_in_vain(&first);
        vain.iter().map(|setting| format!("{} by {}", setting.key, setting.origin)).collect()
    };
    let (port, token) =
        ("server.port by variable APP_SERVER_PORT", "server.token by flag --set server.token");
    assert_eq!(vain("server = {port = 2, token = 'a'}", "5"), [port]);
    assert_eq!(vain("server = {port = 2, token = 'b'}", "5"), [port, token]);
    assert_eq!(vain("name = 'x'\nserver = {port = 1, token = 'a'}", "5"), [""; 0]);
    assert_eq!(vain("server = {port = 2, token = 'a'}", "6"), [""; 0]);
    // Nothing is overridden any more: nobody waits for an effect.
    assert_eq!(vain("", "5"), [""; 0]);
}

/// CFG-5: an example file and a page of all settings are made of the settings type.
#[test]
fn all_settings_are_documented() {
    let catalog = Catalog::of::<Declared>("APP");
    expect![[r##"
        # Every setting, with its default. Take away the `#` before a name to set it.

        # Names of teams.
        #labels = {}

        # Who it is.
        #name = ""

        # [server]
        # Where it listens.

        # The port. Default: 80.
        # It is the second of two paragraphs that make the text so long that it does not fit into one line
        # of an example, however it is broken.
        # A change counts after a restart.
        #server.port = 81

        # A change counts after a restart.
        # server.token = "secret://name:key"

        # How long.
        # Deprecated: set `name` instead.
        # A change counts after a restart.
        # server.wait = "30s"
    "##]].assert_eq(&catalog.to_example());
    expect![[r####"
        ### `labels`

        Names of teams.

        - Value: a table
        - Default: `{}`
        - Variables: `APP_LABELS`
        - A change counts at a reload

        ### `name`

        Who it is.

        - Value: a text
        - Default: `""`
        - Variables: `APP_NAME`
        - A change counts at a reload

        ## `server`

        Where it listens.

        ### `server.port`

        The port. Default: 80.

        It is the second of two paragraphs that make the text so long that it does not fit into one line of an example, however it is broken.

        - Value: a whole number from 0 to 65535
        - Default: `81`
        - Variables: `APP_SERVER_PORT`, `APP_PORT`
        - A change counts after a restart

        ### `server.token`

        - Value: a text
        - Default: not set
        - Variables: `APP_SERVER_TOKEN`
        - A change counts after a restart

        ### `server.wait`

        How long.

        Deprecated: set `name` instead.

        - Value: a duration such as `30s`, or a number of seconds
        - Default: not set
        - Variables: `APP_SERVER_WAIT`, `PATIENCE`
        - A change counts after a restart
    "####]].assert_eq(&catalog.to_markdown());

    // What the example says is the default, is; as it stands, it changes nothing.
    let example = catalog.to_example();
    let defaults = format!("{:?}", Declared::default());
    let is_setting = |line: &str| line.starts_with('#') && !line.starts_with("# ");
    let set: Vec<&str> =
        example.lines().map(|line| if is_setting(line) { &line[1..] } else { line }).collect();
    for text in [&example, &set.join("\n")] {
        let (settings, warnings) = load(text, &[]).unwrap();
        assert_eq!((format!("{settings:?}"), warnings.len()), (defaults.clone(), 0));
    }
}
