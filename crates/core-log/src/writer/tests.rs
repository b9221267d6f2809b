use super::*;
use std::sync::mpsc::{Receiver, Sender, channel};

const SOON: Duration = Duration::from_secs(10);

/// A destination that is told, write by write, what to do.
struct Scripted {
    steps: Receiver<io::Result<()>>,
    written: Sender<Vec<u8>>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.steps.recv().unwrap_or(Ok(()))?;
        let _ = self.written.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Scene {
    writer: Writer,
    steps: Sender<io::Result<()>>,
    written: Receiver<Vec<u8>>,
    events: Receiver<String>,
}

impl Scene {
    fn new(limit: usize) -> Self {
        let (steps, script) = channel();
        let (sender, written) = channel();
        let (event_sender, events) = channel();
        let observer = move |event: &Event<'_>| {
            let _ = event_sender.send(format!("{event:?}"));
        };
        let writer = Writer::start(
            "test-writer",
            "test",
            Box::new(Scripted { steps: script, written: sender }),
            limit,
            Arc::new(observer),
            Box::new(|lines, reason| format!("dropped {lines} {reason}\n")),
        )
        .unwrap();
        Self { writer, steps, written, events }
    }

    fn next(&self) -> String {
        String::from_utf8(self.written.recv_timeout(SOON).unwrap()).unwrap()
    }
}

/// LOG-5: a blocked destination holds nobody up; what has no room is counted and announced.
#[test]
fn a_blocked_destination_holds_nobody_up() {
    let scene = Scene::new(8);
    scene.writer.push("1\n");
    // The first line is taken at once, and stays in the blocked write.
    while !scene.writer.queue.is_taken() {
        std::thread::yield_now();
    }
    for line in ["22\n", "33\n", "44\n", "55\n"] {
        scene.writer.push(line);
    }
    assert!(!scene.writer.flush(Duration::ZERO));
    for _ in 0..3 {
        scene.steps.send(Ok(())).unwrap();
    }
    assert_eq!(scene.next(), "1\n");
    assert_eq!(scene.next(), "dropped 2 buffer_full\n");
    assert_eq!(scene.next(), "22\n33\n");
    assert!(scene.writer.flush(SOON));
    let event = scene.events.recv_timeout(SOON).unwrap();
    assert_eq!(event, "Dropped { sink: \"test\", reason: \"buffer_full\", lines: 2 }");
    drop(scene.steps);
    assert!(scene.writer.close("", SOON));
}

/// LOG-5: a destination that fails is reported once, and writing resumes by itself.
#[test]
fn a_failing_destination_recovers() {
    let scene = Scene::new(100);
    for _ in 0..2 {
        scene.writer.push("lost\n");
        scene.steps.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        assert!(scene.writer.flush(SOON));
    }
    scene.steps.send(Ok(())).unwrap();
    scene.steps.send(Ok(())).unwrap();
    scene.writer.push("back\n");
    assert!(scene.writer.flush(SOON));
    assert_eq!(scene.next(), "back\n");
    assert_eq!(scene.next(), "dropped 2 write_failed\n");
    let events: Vec<String> = scene.events.try_iter().collect();
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(events[0].starts_with("SinkFailed"), "{events:?}");
    assert!(events[3].starts_with("SinkRecovered"), "{events:?}");
}

/// LOG-1: lines come out whole, all of them, in order for each thread.
#[test]
fn lines_come_out_whole_and_in_order() {
    let scene = Scene::new(1 << 20);
    let Scene { writer, steps, written, .. } = scene;
    drop(steps);
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let writer = &writer;
            threads.spawn(move || (0..500).for_each(|n| writer.push(&format!("{thread}:{n}\n"))));
        }
    });
    assert!(writer.close("", SOON));
    writer.push("after the end\n");
    let text: String = written.try_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    for thread in 0..4 {
        let prefix = format!("{thread}:");
        let numbers: Vec<usize> =
            text.lines().filter_map(|line| line.strip_prefix(&prefix)?.parse().ok()).collect();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    }
    assert_eq!(text.lines().count(), 2000);
}
