use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_app::shutdown::{Outcome, Priority, Reason};
use core_app::{App, BoxError, Error, Host};

use crate::client::{get, send};
use crate::service::{TOKEN, app, routes, start, with};

/// APP-2: two apps run in one process and know nothing of each other.
#[tokio::test]
async fn two_apps_run_side_by_side() {
    let one = start(with(&["--set", "greeting=one"])).await;
    let two = start(with(&["--set", "greeting=two"])).await;
    assert_eq!(get(one.app_address(), "/greet/x").await.body, "one");
    assert_eq!(get(two.app_address(), "/greet/x").await.body, "two");
    let two_ops = two.ops_address();
    assert_eq!(one.stop().await.outcome(), Outcome::Clean);
    assert_eq!(get(two_ops, "/health/ready").await.status, 200);
    let metrics = get(two_ops, "/metrics").await.body;
    assert!(metrics.contains(r#"http_requests_total{listener="app",method="GET",route="/greet/{name}",status="200"} 1"#), "{metrics}");
    assert_eq!(two.stop().await.outcome(), Outcome::Clean);
}

/// Probes answer on both ports while the service starts; the app says that it is starting.
#[tokio::test]
async fn probes_answer_before_the_start_has_ended() {
    let (go, gate) = tokio::sync::oneshot::channel::<()>();
    let (tell, ports) = tokio::sync::oneshot::channel();
    let (app, ops) = (free_port(), free_port());
    let arguments = [
        format!("--set=server.bind_address=127.0.0.1:{app}"),
        format!("--set=ops.bind_address=127.0.0.1:{ops}"),
    ];
    let starting = tokio::spawn(
        App::new("test", "0").with_arguments(arguments).with_environment([("", ""); 0]).start(
            move |_: Host| async move {
                tell.send(()).unwrap();
                gate.await.unwrap();
                Ok::<_, BoxError>(axum::Router::new())
            },
        ),
    );
    ports.await.unwrap();
    let (app, ops) = (([127, 0, 0, 1], app).into(), ([127, 0, 0, 1], ops).into());
    for address in [app, ops] {
        assert_eq!(get(address, "/health/live").await.status, 200);
        let startup = get(address, "/health/startup").await;
        assert_eq!(
            (startup.status, &startup.json()["checks"]["start"]["status"]),
            (503, &"unknown".into())
        );
        assert_eq!(get(address, "/health/ready").await.status, 503);
    }
    let refused = get(app, "/").await;
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "1"));
    go.send(()).unwrap();
    let running = starting.await.unwrap().unwrap();
    for path in ["/health/startup", "/health/ready", "/ready", "/readyz", "/healthz"] {
        assert_eq!(get(app, path).await.status, 200, "{path}");
    }
    assert_eq!(get(app, "/").await.status, 404);
    running.stop().await;
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// STOP-3: a start that fails half-way stops exactly what had started, in reverse; APP-2: the error
/// comes back.
#[tokio::test]
async fn a_failed_start_is_unwound() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let stopped = Arc::clone(&log);
    let result = app()
        .start(move |host: Host<_>| async move {
            for name in ["one", "two"] {
                let stopped = Arc::clone(&stopped);
                host.on_stop(name, Priority::default(), move || async move {
                    stopped.lock().unwrap().push(name);
                    Ok(())
                })?;
            }
            Err::<axum::Router, BoxError>("the database is not there".into())
        })
        .await;
    let error = result.unwrap_err();
    assert_eq!(
        core_app::types::Chain(&error).to_string(),
        "the start failed: the database is not there"
    );
    assert_eq!(*log.lock().unwrap(), ["two", "one"]);
}

#[tokio::test]
async fn a_start_that_panics_is_an_error() {
    let result =
        app().start(|_| async { panic!("on purpose") as Result<axum::Router, BoxError> }).await;
    let error = core_app::types::Chain(&result.unwrap_err()).to_string();
    assert_eq!(error, "the start failed: panicked: on purpose");
}

/// A port that is taken is an error that names the address and the key.
#[tokio::test]
async fn a_taken_port_is_named() {
    let running = start(app()).await;
    let taken = format!("server.bind_address={}", running.app_address());
    let error = with(&["--set", &taken]).start(routes).await.unwrap_err();
    assert!(matches!(&error, Error::Bind { key: "server.bind_address", .. }), "{error}");
    let expected = format!("cannot listen on {} (server.bind_address)", running.app_address());
    assert_eq!(error.to_string(), expected);
    running.stop().await;
}

/// STOP-1: while it drains, readiness is 503, liveness 200, requests in flight end, the ops port
/// answers, and whoever keeps a connection is asked to leave it.
#[tokio::test]
async fn a_drain_loses_nothing() {
    let (go, gate) = tokio::sync::watch::channel(false);
    let slow = move || {
        let mut gate = gate.clone();
        async move {
            gate.wait_for(|open| *open).await.unwrap();
            "done"
        }
    };
    let running = with(&["--set", "server.propagation_delay=0.2s"])
        .start(|_| async {
            Ok::<_, BoxError>(axum::Router::new().route("/slow", axum::routing::get(slow)))
        })
        .await
        .unwrap();
    let (app, ops) = (running.app_address(), running.ops_address());
    let host = running.host().clone();
    let request = tokio::spawn(async move { get(app, "/slow").await });
    while host.shutdown().in_flight().count() == 0 {
        tokio::task::yield_now().await;
    }
    host.shutdown().trigger(Reason::Requested);
    let stopped = tokio::spawn(running.stopped());
    // During the propagation delay traffic is still served.
    let late = get(app, "/nothing").await;
    assert_eq!((late.status, late.headers["connection"].as_str()), (404, "close"));
    assert_eq!(get(app, "/health/ready").await.status, 503);
    while host.shutdown().progress().phase < core_app::shutdown::Phase::Drain {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Who stood in the queue is let in; then nobody any more.
    while tokio::net::TcpStream::connect(app).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(get(ops, "/health/live").await.status, 200);
    assert_eq!(get(ops, "/health/ready").await.status, 503);
    let metrics = get(ops, "/metrics").await.body;
    assert!(metrics.contains("http_requests_in_flight 1"), "{metrics}");
    assert!(metrics.contains(r#"shutdown_phase_info{phase="drain"} 1"#), "{metrics}");
    assert!(metrics.contains("shutdown_left_seconds 19."), "{metrics}");
    let probes =
        r#"http_requests_total{listener="app",method="GET",route="/health/ready",status="503"} 1"#;
    assert!(metrics.contains(probes), "{metrics}");
    go.send(true).unwrap();
    let answer = request.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "done"));
    let report = stopped.await.unwrap();
    assert_eq!(report.outcome(), Outcome::Clean);
    assert!(tokio::net::TcpStream::connect(ops).await.is_err());
}

/// An operator with the token stops the service; without it nobody does.
#[tokio::test]
async fn the_ops_port_stops_the_service() {
    let running = start(app()).await;
    let ops = running.ops_address();
    assert_eq!(send(ops, "POST", "/ops/stop", &[], "").await.status, 401);
    assert_eq!(send(ops, "GET", "/ops/stop", &[TOKEN], "").await.status, 405);
    assert!(!running.host().stopping().has_begun());
    let answer = send(ops, "POST", "/ops/stop", &[TOKEN], "").await;
    assert_eq!((answer.status, &answer.json()["status"]), (202, &"stopping".into()));
    let mut stopping = running.host().stopping();
    assert_eq!(stopping.reason().await, Reason::Requested);
}

/// STOP-1: tasks end behind what takes work in, and before what they work with is closed.
#[tokio::test]
async fn tasks_end_between_intake_and_databases() {
    let running = app()
        .start(|host: Host<_>| async move {
            host.task("works").spawn(std::future::pending::<Result<(), BoxError>>)?;
            for (name, priority) in
                [("close_database", Priority::HIGH), ("stop_intake", Priority::CRITICAL)]
            {
                host.on_stop(name, priority, || async { Ok(()) })?;
            }
            Ok::<_, BoxError>(axum::Router::new())
        })
        .await
        .unwrap();
    let report = running.stop().await;
    let callbacks: Vec<&str> = report
        .steps
        .iter()
        .filter(|step| step.priority.is_some())
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(callbacks, ["stop_intake", "tasks", "close_database"]);
}

/// A start whose first words already panic is an error like any other.
#[tokio::test]
async fn a_start_that_panics_before_it_waits_is_an_error() {
    #[expect(unreachable_code, reason = "the closure panics before it makes a future")]
    let start = |_: Host<_>| {
        panic!("at once");
        async { Ok::<_, BoxError>(axum::Router::new()) }
    };
    let error = core_app::types::Chain(&app().start(start).await.unwrap_err()).to_string();
    assert_eq!(error, "the start failed: panicked: at once");
}

/// STOP-6: who has connected before the door closes is answered: with a request that is late, and
/// behind somebody who has the only place.
#[tokio::test]
async fn who_stands_before_the_door_is_answered() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    const REQUEST: &[u8] = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    for (most, is_late) in [("10", true), ("1", false)] {
        let most = format!("server.max_connections={most}");
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        };
        let running = with(&["--set", "server.propagation_delay=0", "--set", &most])
            .start(move |_| async move {
                Ok::<_, BoxError>(axum::Router::new().route("/slow", axum::routing::get(slow)))
            })
            .await
            .unwrap();
        let (app, host) = (running.app_address(), running.host().clone());
        let mut first = tokio::net::TcpStream::connect(app).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        while host.shutdown().in_flight().count() == 0 {
            tokio::task::yield_now().await;
        }
        let mut second = tokio::net::TcpStream::connect(app).await.unwrap();
        if !is_late {
            second.write_all(REQUEST).await.unwrap();
        }
        let stopped = tokio::spawn(running.stop());
        if is_late {
            while host.shutdown().progress().phase < core_app::shutdown::Phase::Drain {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            second.write_all(REQUEST).await.unwrap();
        }
        for (name, mut stream) in [("first", first), ("second", second)] {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.ends_with("done"), "{most}, {name}: {answer}");
            assert!(answer.contains("connection: close"), "{most}, {name}: {answer}");
        }
        assert_eq!(stopped.await.unwrap().outcome(), Outcome::Clean);
    }
}

/// STOP-6: who keeps a connection and is at no request is not waited for, half a head or not.
#[tokio::test]
async fn half_a_head_holds_up_nothing() {
    use tokio::io::AsyncWriteExt as _;
    let running = app().start(routes).await.unwrap();
    let mut half = tokio::net::TcpStream::connect(running.app_address()).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    let mut mute = tokio::net::TcpStream::connect(running.app_address()).await.unwrap();
    mute.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    // Both are being served.
    get(running.app_address(), "/health/live").await;
    let report = running.stop().await;
    assert_eq!(report.outcome(), Outcome::Clean, "{report:#?}");
    assert!(report.duration < Duration::from_secs(5), "{:?}", report.duration);
}

/// STOP-3: when a start fails, its tasks end before what they work with is closed.
#[tokio::test]
async fn a_failed_start_ends_its_tasks_first() {
    struct Ends(Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Ends {
        fn drop(&mut self) {
            self.0.lock().unwrap().push("task");
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let (closed, ended) = (Arc::clone(&log), Arc::clone(&log));
    let result = app()
        .start(move |host: Host<_>| async move {
            host.on_stop("close_database", Priority::HIGH, move || async move {
                closed.lock().unwrap().push("database");
                Ok(())
            })?;
            let (begun, begins) = tokio::sync::watch::channel(false);
            host.task("works").spawn(move || {
                let (ends, begun) = (Ends(Arc::clone(&ended)), begun.clone());
                async move {
                    let _ends = ends;
                    begun.send_replace(true);
                    std::future::pending::<Result<(), BoxError>>().await
                }
            })?;
            begins.clone().wait_for(|begun| *begun).await?;
            Err::<axum::Router, BoxError>("on purpose".into())
        })
        .await;
    assert!(result.is_err());
    assert_eq!(*log.lock().unwrap(), ["task", "database"]);
}

/// STOP-6: during the propagation delay whoever keeps a connection is sent elsewhere, also by an
/// answer that the app did not make.
#[tokio::test]
async fn kept_connections_are_sent_elsewhere() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let running = with(&["--set", "server.propagation_delay=0.3s"])
        .start(async |_| {
            let panics = axum::routing::get(async || -> &str { panic!("on purpose") });
            Ok::<_, BoxError>(axum::Router::new().route("/panics", panics))
        })
        .await
        .unwrap();
    let (app, host) = (running.app_address(), running.host().clone());
    host.shutdown().trigger(Reason::Requested);
    let stopped = tokio::spawn(running.stopped());
    for path in ["/health/live", "/nothing", "/panics"] {
        let mut kept = tokio::net::TcpStream::connect(app).await.unwrap();
        kept.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        kept.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("connection: close\r\n"), "{path}: {answer}");
        assert!(host.shutdown().progress().phase < core_app::shutdown::Phase::Close, "{path}");
    }
    stopped.await.unwrap();
}
