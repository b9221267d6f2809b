use std::any::Any;
use std::error::Error;
use std::fmt;

/// Prints an error with its causes, each after a colon.
///
/// Errors of these crates say their own level only, so the whole is told once, where it is told.
///
/// ```
/// # use core_types::Chain;
/// let error = std::io::Error::other("disk full");
/// assert_eq!(Chain(&error).to_string(), "disk full");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Chain<'e>(pub &'e (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What a caught panic said.
///
/// ```
/// let panic = std::panic::catch_unwind(|| panic!("number {}", 7)).unwrap_err();
/// assert_eq!(core_types::panic_message(&*panic), "number 7");
/// ```
pub fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a message")
}
