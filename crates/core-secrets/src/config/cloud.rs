//! What the settings of clouds have in common.

use core_types::Duration;

use crate::Error;

pub(super) fn require(
    is_right: bool,
    field: &'static str,
    range: &'static str,
) -> Result<(), Error> {
    if is_right { Ok(()) } else { Err(Error::OutOfRange { field, range }) }
}

pub(super) fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

pub(super) fn require_timeout(timeout: Duration, field: &'static str) -> Result<(), Error> {
    let range = Duration::from_millis(100)..=Duration::from_secs(60);
    require(range.contains(&timeout), field, "from 100ms to 1m")
}
