//! Secrets from a real API server, through the whole of Mira.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use self::real::canary::canary;
use self::real::cluster::Cluster;
use self::real::server::Server;
use self::real::support::{LIMIT, eventually, lasting};
use crate::client::get;
use crate::mira::Mira;
use crate::reload::Over;
use crate::webhooks::{BODY, github, signature};

/// The server of the tests of `core-secrets`.
#[allow(dead_code, reason = "the tests there use more of it")]
#[path = "../../../../crates/core-secrets/tests/kubernetes"]
mod real {
    pub(crate) mod cluster;
    mod process;
    pub(crate) mod server;
    pub(crate) mod support;

    pub(crate) use crate::vault::support::canary;
}

/// Deliveries without a pause, each twice: signed with the old secret, and then with the new one.
struct Load<'a> {
    app: &'a str,
    /// The statuses of the two.
    answers: Mutex<Vec<(u16, u16)>>,
    is_over: AtomicBool,
}

impl Load<'_> {
    fn run(&self, round: usize, old: &str, new: &str) {
        let deliver = |secret: &str, delivery: &str| {
            github(self.app, Some(&signature(secret, BODY)), delivery, BODY).status
        };
        for number in 0.. {
            if self.is_over.load(Ordering::Relaxed) {
                return;
            }
            let by_old = deliver(old, &format!("{round}-{number}-old"));
            let answers = (by_old, deliver(new, &format!("{round}-{number}-new")));
            self.answers.lock().unwrap().push(answers);
            assert_eq!(get(self.app, "/health/ready").status, 200);
            // Each accepted one is work for the agents.
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn count(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

/// SEC-4, SEC-5, SEC-6, CFG-10: a webhook's secret that is changed in the cluster counts at once, by
/// the watch: while deliveries come, there is no moment at which neither the old nor the new one is
/// accepted, and afterwards the old one is refused.
#[test]
#[ignore = "needs a real API server: cargo xtask test secrets"]
fn a_webhooks_secret_is_changed_in_the_cluster() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    let cluster = Cluster::of(&server);
    let account = runtime.block_on(async {
        cluster.namespace("mira").await;
        cluster.secret("mira", "github-credentials", json!({"webhook": canary(0)})).await;
        cluster.reader("mira", &["github-credentials"]).await
    });
    let user = format!("{{token: {}}}", lasting(&server, &account));
    let config = json!({
        "logging": { "level": "debug" },
        "secrets": {
            "backend": "kubernetes", "auto_refresh": true, "refresh_interval": "1d",
            "kubernetes": {
                "namespace": "mira", "kubeconfig": server.kubeconfig("mira.kubeconfig", &user),
                "request_timeout": "20s",
            },
        },
        "integrations": { "github": { "webhook_secret": "secret://github-credentials:webhook" } },
    });
    let path = server.path().join("config.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let mira = Mira::start(&["--config", path.to_str().unwrap()]);
    let app = mira.app();

    for number in 1..=3 {
        let (old, new) = (canary(number - 1), canary(number));
        let (answers, is_over) = (Mutex::default(), AtomicBool::new(false));
        let load = Load { app: &app, answers, is_over };
        let rounds = |more: usize| {
            let enough = load.count() + more;
            runtime.block_on(eventually(LIMIT, || async { load.count() >= enough }));
        };
        thread::scope(|scope| {
            scope.spawn(|| load.run(number, &old, &new));
            let _over = Over(&load.is_over);
            rounds(20);
            let secret = json!({"webhook": new});
            runtime.block_on(cluster.change("mira", "github-credentials", secret));
            let accepts_new = || load.answers.lock().unwrap().last().unwrap().1 == 202;
            runtime.block_on(eventually(LIMIT, || async { accepts_new() }));
            rounds(20);
        });
        let answers = load.answers.into_inner().unwrap();
        let before = answers.iter().take_while(|answer| **answer == (202, 401)).count();
        // The change may come between the two.
        let after = before + usize::from(answers[before] == (202, 202));
        assert!(before >= 20, "{answers:?}");
        assert!(answers[after..].iter().all(|answer| *answer == (401, 202)), "{answers:?}");
    }

    mira.signal("TERM");
    let (status, lines, stderr) = mira.end();
    assert!(status.success());
    let said = serde_json::to_string(&lines).unwrap() + &stderr;
    assert!(said.contains("secret rotated") && !said.contains("canary"));
}
