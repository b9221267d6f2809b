//! The public behaviour of core-config.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Makes one test of several, for they wait for the operating system more than they compute.
macro_rules! at_once {
    ($($(#[$meta:meta])* $test:ident,)*) => {
        #[test]
        fn all_at_once() {
            std::thread::scope(|threads| {
                $($(#[$meta])* {
                    let thread = std::thread::Builder::new().name(stringify!($test).into());
                    thread.spawn_scoped(threads, $test).unwrap();
                })*
            });
        }
    };
}

mod changes;
mod declared;
mod edits;
mod environment;
mod errors;
mod flags;
mod layers;
mod live;
mod origins;
mod properties;
mod references;
mod secrets;
mod settings;
mod shapes;
mod snapshots;
mod transaction;
mod watch;
