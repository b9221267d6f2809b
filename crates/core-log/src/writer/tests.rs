use super::*;
use crate::Event;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};

const SOON: Duration = Duration::from_secs(10);

/// A destination that is told, write by write, how much it takes.
struct Scripted {
    steps: Receiver<io::Result<usize>>,
    written: Sender<Vec<u8>>,
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.steps.recv().unwrap_or(Ok(ALL))?;
        let bytes = &bytes[..room.min(bytes.len())];
        let _ = self.written.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const ALL: usize = usize::MAX;

struct Scene {
    writer: Writer,
    steps: Sender<io::Result<usize>>,
    written: Receiver<Vec<u8>>,
    events: Receiver<String>,
}

impl Scene {
    fn new(limit: usize) -> Self {
        let (event_sender, events) = channel();
        Self::observed(limit, events, move |event| {
            let _ = event_sender.send(format!("{event:?}"));
        })
    }

    fn observed(
        limit: usize,
        events: Receiver<String>,
        observer: impl Fn(&Event<'_>) + Send + Sync + 'static,
    ) -> Self {
        let (steps, script) = channel();
        let (sender, written) = channel();
        let destination = Box::new(Scripted { steps: script, written: sender });
        let writer = Writer::start(
            Sink { thread: "test-writer", name: "test", destination, has_failed: false },
            (limit, Format::Json),
            Observer::new(observer),
            |format, lines, reason| format!("dropped {lines} {reason} {format:?}\n"),
        )
        .unwrap();
        Self { writer, steps, written, events }
    }

    fn step(&self, step: io::Result<usize>) {
        self.steps.send(step).unwrap();
    }

    fn next(&self) -> String {
        String::from_utf8(self.written.recv_timeout(SOON).unwrap()).unwrap()
    }

    /// Hands a line over and waits until the destination is asked to take it.
    fn block(&self, line: &str) {
        self.writer.push(Level::ERROR, line);
        while !self.writer.queue.is_taken() {
            std::thread::yield_now();
        }
    }

    fn flush(&self) -> bool {
        self.writer.flush(deadline(SOON))
    }

    /// Ends the writer; all that was written, and all that was reported.
    fn end(self, last: &str) -> (String, Vec<String>) {
        let Self { writer, steps, written, events } = self;
        drop(steps);
        assert!(writer.close(last, deadline(SOON)));
        (text(&written), events.try_iter().collect())
    }
}

fn text(written: &Receiver<Vec<u8>>) -> String {
    written.try_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

/// LOG-5: a blocked destination holds nobody up; what has no room is counted and announced.
#[test]
fn a_blocked_destination_holds_nobody_up() {
    let scene = Scene::new(8);
    scene.block("1\n");
    // What is being written counts: two of these have room.
    for line in ["22\n", "33\n", "44\n", "55\n"] {
        scene.writer.push(Level::ERROR, line);
    }
    assert!(!scene.writer.flush(deadline(Duration::ZERO)));
    scene.writer.configure(8, Format::Console { color: false });
    for _ in 0..3 {
        scene.step(Ok(ALL));
    }
    assert_eq!(scene.next(), "1\n");
    assert_eq!(scene.next(), "dropped 2 buffer_full Console { color: false }\n");
    assert_eq!(scene.next(), "22\n33\n");
    assert!(scene.flush());
    let event = scene.events.recv_timeout(SOON).unwrap();
    assert_eq!(event, "Dropped { sink: \"test\", reason: \"buffer_full\", lines: 2 }");
}

/// LOG-5: what has no room goes by its level, the lowest first.
#[test]
fn low_levels_go_first() {
    let scene = Scene::new(80);
    let levels = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR];
    scene.block("0\n");
    for _ in 0..20 {
        for level in levels {
            scene.writer.push(level, &format!("{}\n", &level.as_str()[..1]));
        }
    }
    let (text, events) = scene.end("");
    let count = |letter: &str| text.lines().filter(|line| *line == letter).count();
    // At half of the room the details go, at three quarters what is usual, then warnings.
    assert_eq!(["T", "D", "I", "W", "E"].map(count), [4, 4, 7, 10, 14], "{text}");
    let dropped = 100 - 39;
    assert!(text.contains(&format!("dropped {dropped} buffer_full")), "{text}");
    assert!(events[0].contains(&format!("lines: {dropped}")), "{events:?}");
}

/// LOG-5: what was dropped is told, also if nothing else is ever written.
#[test]
fn a_line_without_room_is_counted_at_the_end() {
    let scene = Scene::new(8);
    scene.writer.push(Level::ERROR, "much too long\n");
    let (text, events) = scene.end("");
    assert_eq!(text, "dropped 1 buffer_full Json\n");
    assert_eq!(events.len(), 1, "{events:?}");
}

/// LOG-5: a destination that fails is reported once, and writing resumes by itself; what was lost
/// is told before what comes then.
#[test]
fn a_failing_destination_recovers() {
    let scene = Scene::new(100);
    for _ in 0..2 {
        scene.step(Err(io::ErrorKind::StorageFull.into()));
        scene.writer.push(Level::ERROR, "lost\n");
        assert!(scene.flush());
        assert!(scene.writer.has_failed());
    }
    let (text, events) = scene.end("last\n");
    assert_eq!(text, "dropped 2 write_failed Json\nlast\n");
    assert_eq!(events.len(), 4, "{events:?}");
    assert!(events[0].starts_with("SinkFailed"), "{events:?}");
    assert!(events[3].starts_with("SinkRecovered"), "{events:?}");
}

/// LOG-1, LOG-5: a write that fails in the middle splits no line, and what was written is not
/// counted as dropped.
#[test]
fn a_torn_line_is_made_whole() {
    let failure = || Err(io::ErrorKind::StorageFull.into());
    let announced = "dropped 1 write_failed Json\n";
    for (steps, expected) in [
        // After the first line, inside the second, at its very end.
        (vec![Ok(4), failure()], "one\ndropped 2 write_failed Json\nlast\n".to_owned()),
        (vec![Ok(6), failure()], format!("one\ntwo\n{announced}last\n")),
        (vec![Ok(12)], "one\ntwo\nsix\nlast\n".to_owned()),
        // The rest of the line fails too, then the announcement of what was lost.
        (
            vec![Ok(6), failure(), Ok(1), failure()],
            "one\ntwo\ndropped 2 write_failed Json\nlast\n".to_owned(),
        ),
        (
            vec![Ok(6), failure(), failure()],
            "one\ntwo\ndropped 2 write_failed Json\nlast\n".to_owned(),
        ),
        (
            vec![Ok(6), failure(), Ok(ALL), Ok(3), failure()],
            format!("one\ntwo\n{announced}{announced}last\n"),
        ),
        (
            vec![Ok(6), failure(), Ok(ALL), failure()],
            "one\ntwo\ndropped 2 write_failed Json\nlast\n".to_owned(),
        ),
        (
            vec![Ok(1), Err(io::ErrorKind::Interrupted.into()), Ok(ALL)],
            "one\ntwo\nsix\nlast\n".to_owned(),
        ),
        (vec![Ok(0)], "dropped 3 write_failed Json\nlast\n".to_owned()),
    ] {
        let is_twice = steps.iter().filter(|step| step.is_err()).count() > 1;
        let scene = Scene::new(100);
        // What comes while the first line is written goes as one batch.
        scene.block("0\n");
        ["one\n", "two\n", "six\n"].iter().for_each(|line| scene.writer.push(Level::ERROR, line));
        scene.step(Ok(ALL));
        assert_eq!(scene.next(), "0\n");
        steps.into_iter().for_each(|step| scene.step(step));
        assert!(scene.flush());
        if is_twice {
            scene.writer.push(Level::ERROR, "mid\n");
            assert!(scene.flush());
        }
        let (text, _) = scene.end("last\n");
        assert_eq!(text, expected);
    }
}

/// LOG-5: a listener or a destination that panics stops no line.
#[test]
fn a_panic_stops_no_line() {
    let scene = Scene::observed(100, channel().1, |_| panic!("on purpose"));
    scene.step(Err(io::ErrorKind::StorageFull.into()));
    scene.writer.push(Level::ERROR, "lost\n");
    assert!(scene.flush());
    assert_eq!(scene.end("last\n").0, "dropped 1 write_failed Json\nlast\n");
}

/// LOG-5: a flush waits for what came before it, not for what others write meanwhile.
#[test]
fn a_flush_ends_under_load() {
    let scene = Scene::new(1 << 20);
    scene.block("1\n");
    let (writer, steps) = (&scene.writer, &scene.steps);
    std::thread::scope(|threads| {
        let flush = threads.spawn(move || writer.flush(deadline(SOON)));
        while writer.queue.awaited() == 0 {
            std::thread::yield_now();
        }
        // This one comes later, and is never written.
        writer.push(Level::ERROR, "2\n");
        steps.send(Ok(ALL)).unwrap();
        assert!(flush.join().unwrap());
    });
    assert_eq!(scene.next(), "1\n");
    assert_eq!(scene.end("").0, "2\n");
}

/// LOG-1: lines come out whole, all of them, in order for each thread; none after the last.
#[test]
fn lines_come_out_whole_and_in_order() {
    let scene = Scene::new(1 << 20);
    let Scene { writer, steps, written, .. } = scene;
    drop(steps);
    std::thread::scope(|threads| {
        for thread in 0..4 {
            let writer = &writer;
            threads.spawn(move || {
                (0..500).for_each(|n| writer.push(Level::ERROR, &format!("{thread}:{n}\n")));
            });
        }
    });
    assert!(writer.close("the end\n", deadline(SOON)));
    writer.push(Level::ERROR, "after the end\n");
    assert!(writer.close("again\n", deadline(SOON)));
    let text = text(&written);
    for thread in 0..4 {
        let prefix = format!("{thread}:");
        let numbers: Vec<usize> =
            text.lines().filter_map(|line| line.strip_prefix(&prefix)?.parse().ok()).collect();
        assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    }
    assert_eq!((text.lines().count(), text.lines().last()), (2001, Some("the end")));
}

/// A writer that is dropped writes what it was given, and ends its thread.
#[test]
fn a_dropped_writer_ends() {
    let Scene { writer, steps, written, .. } = Scene::new(100);
    drop(steps);
    writer.push(Level::ERROR, "1\n");
    drop(writer);
    assert_eq!(written.recv(), Ok(b"1\n".to_vec()));
    // The destination is gone, and the thread with it.
    assert!(written.recv().is_err());
}
