//! The process as Linux sees it: `/proc/self`, read on each scrape.

#[cfg(target_os = "linux")]
mod linux;

use crate::Metrics;

impl Metrics {
    /// Exposes the process' own figures, as every Prometheus client names them, on Linux.
    ///
    /// `process_cpu_seconds_total`, `process_resident_memory_bytes`,
    /// `process_virtual_memory_bytes`, `process_threads`, `process_open_fds`, `process_max_fds` and
    /// `process_start_time_seconds`. What cannot be read, and all of it elsewhere, is absent.
    pub fn process(&self) {
        #[cfg(target_os = "linux")]
        self.collect_with("process", linux::producer());
    }
}
