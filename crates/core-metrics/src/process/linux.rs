//! Formats: `proc_pid_stat(5)`, `proc_pid_status(5)`, `proc_pid_limits(5)`, `proc_stat(5)`.

use std::fs::{read_dir, read_to_string};

use crate::Samples;

/// Clock ticks of a second in `/proc`. `USER_HZ` is part of the kernel's interface, and 100 on all
/// architectures but alpha and ia64, for which there is no Rust.
const TICKS_PER_SECOND: f64 = 100.0;

/// The producer of the process' figures.
pub(super) fn producer() -> impl Fn(&mut Samples) + Send + Sync + 'static {
    // It does not change, and the file is long where there are many processors.
    let boot = read_to_string("/proc/stat").ok().and_then(|stat| boot_seconds(&stat));
    move |samples| {
        if let Some(stat) = read_to_string("/proc/self/stat").ok().and_then(|s| Stat::parse(&s)) {
            let help = "Processor time spent, in user and system mode.";
            samples.counter("process_cpu_seconds_total", help, &[], stat.cpu_seconds);
            let help = "Address space in use.";
            samples.gauge("process_virtual_memory_bytes", help, &[], stat.virtual_bytes);
            samples.gauge("process_threads", "Threads of the process.", &[], stat.threads);
            if let Some(boot) = boot {
                let help = "When the process started, in seconds since 1970.";
                let start = boot + stat.start_seconds;
                samples.gauge("process_start_time_seconds", help, &[], start);
            }
        }
        let status = read_to_string("/proc/self/status").ok();
        if let Some(resident) = status.and_then(|status| resident_bytes(&status)) {
            let help = "Physical memory in use.";
            samples.gauge("process_resident_memory_bytes", help, &[], resident);
        }
        if let Ok(descriptors) = read_dir("/proc/self/fd") {
            // One of them is the open directory itself.
            let open = descriptors.count().saturating_sub(1) as f64;
            samples.gauge("process_open_fds", "Open file descriptors.", &[], open);
        }
        let limits = read_to_string("/proc/self/limits").ok();
        if let Some(most) = limits.and_then(|limits| max_descriptors(&limits)) {
            let help = "File descriptors that may be open at once.";
            samples.gauge("process_max_fds", help, &[], most);
        }
    }
}

#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    threads: f64,
    /// After boot.
    start_seconds: f64,
    virtual_bytes: f64,
}

impl Stat {
    fn parse(stat: &str) -> Option<Self> {
        // The second field is the program's name, in parentheses, and may contain anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        // Numbered as in the manual, where the one behind the name is the third.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / TICKS_PER_SECOND,
            threads: field(20)?,
            start_seconds: field(22)? / TICKS_PER_SECOND,
            virtual_bytes: field(23)?,
        })
    }
}

/// When the machine started, in seconds since 1970.
fn boot_seconds(stat: &str) -> Option<f64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// Not from `stat`, which counts in pages, whose size it does not say.
fn resident_bytes(status: &str) -> Option<f64> {
    let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(size.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * 1024.0)
}

/// The soft limit. None if there is none.
fn max_descriptors(limits: &str) -> Option<f64> {
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    limit.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_program_may_contain_anything() {
        let stat = "4711 (a) R (b) S 1 2 3 4 5 6 7 8 9 10 150 50 13 14 20 0 8 0 \
                    12345 1048576 256 18446744073709551615 1 1 0";
        let expected = Stat {
            cpu_seconds: 2.0,
            threads: 8.0,
            start_seconds: 123.45,
            virtual_bytes: 1_048_576.0,
        };
        assert_eq!(Stat::parse(stat), Some(expected));
    }

    #[test]
    fn what_is_not_there_is_absent() {
        assert_eq!(Stat::parse(""), None);
        assert_eq!(Stat::parse("1 (x) S 1 2"), None);
        assert_eq!(boot_seconds("cpu 1 2\nbtime 1700000000\n"), Some(1.7e9));
        assert_eq!(boot_seconds("cpu 1 2\n"), None);
        assert_eq!(resident_bytes("VmSize:\t  8 kB\nVmRSS:\t    4 kB\n"), Some(4096.0));
        assert_eq!(resident_bytes("Name:\tx\n"), None);
        let limits = |soft: &str| {
            format!("Max processes  1 1 processes\nMax open files  {soft} 4096 files\n")
        };
        assert_eq!(max_descriptors(&limits("1024")), Some(1024.0));
        assert_eq!(max_descriptors(&limits("unlimited")), None);
    }
}
