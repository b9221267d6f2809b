//! Ready-made checks: what runs short, and what can be reached.
//!
//! Each is a function that looks once and gives a [`Report`](crate::Report); registered, it is
//! asked again and again. What the service can do without, and what every replica shares, is best
//! registered as [diagnostic](crate::CheckOptions::diagnostic).
//!
//! ```
//! use core_health::{CheckOptions, Config, Health, checks};
//!
//! let health = Health::new(Config::default(), "1.0.0")?;
//! health.check("database", || checks::tcp("db.internal:5432"))?;
//! let diagnostic = CheckOptions::new().diagnostic();
//! health.check_with("search", diagnostic, || checks::http("http://search.internal/health"))?;
//! # Ok::<(), core_health::Error>(())
//! ```

#[cfg(unix)]
mod disk;
mod memory;
mod reach;

#[cfg(unix)]
pub use self::disk::disk;
pub use self::{
    memory::{Memory, memory},
    reach::{http, tcp},
};
