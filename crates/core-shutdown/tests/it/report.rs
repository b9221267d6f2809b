use std::sync::{Arc, Mutex};
use std::time::Duration;

use core_shutdown::{Config, Event, Phase, Priority, Reason, Runner};
use tokio::time::sleep;

/// STOP-5: every step is reported, with its time; while one is waited for, it is named.
#[tokio::test(start_paused = true)]
async fn every_step_is_reported() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&told);
    let runner = Runner::new(Config::default()).unwrap().with_observer(move |event| {
        if let Event::Waiting { name, in_flight, left, .. } = event {
            log.lock().unwrap().push(format!("{name} {in_flight} {}", left.as_secs()));
        }
    });
    let shutdown = runner.shutdown();
    shutdown.at(Phase::Unready, "readiness", || async { Ok(()) }).unwrap();
    shutdown
        .on_stop("slow", Priority::new(7).unwrap(), || async {
            sleep(Duration::from_millis(2500)).await;
            Ok(())
        })
        .unwrap();
    shutdown.trigger(Reason::Requested);
    let request = shutdown.in_flight().guard();
    let watch = async {
        sleep(Duration::from_millis(5500)).await;
        let progress = shutdown.progress();
        assert_eq!((progress.phase, progress.in_flight), (Phase::Drain, 1));
        assert_eq!(progress.left, Some(Duration::from_millis(14_500)));
        assert_eq!(progress.running, ["requests"]);
        drop(request);
    };
    let (report, ()) = tokio::join!(runner.run(), watch);
    let steps: Vec<_> = report
        .steps
        .iter()
        .map(|step| {
            (step.name.as_str(), step.priority.map(Priority::value), step.duration.as_millis())
        })
        .collect();
    assert_eq!(steps, [("readiness", None, 0), ("requests", None, 1500), ("slow", Some(7), 2500)]);
    assert_eq!(*told.lock().unwrap(), ["requests 1 15", "slow 0 13", "slow 0 12"]);
    assert_eq!(shutdown.progress().phase, Phase::Stopped);
}
