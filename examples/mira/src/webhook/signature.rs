use core_types::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{Delivery, Provider};
use crate::Error;

/// Bytes of an HMAC-SHA256.
const LENGTH: usize = 32;

/// Checks that a delivery was signed with a secret: `sha256=` and the HMAC-SHA256 of the body, in
/// hexadecimal digits. Takes the same time wherever the first difference is.
///
/// Jira may name other methods in the same header; they are refused, or the sender could choose
/// the weakest.
///
/// # Errors
/// [`Error::Unsigned`] if there is no signature, [`Error::Unauthorized`] if it is another.
pub fn verify(
    provider: Provider,
    secret: &Secret<String>,
    delivery: &Delivery<'_>,
) -> Result<(), Error> {
    let signature = delivery.signature.ok_or(Error::Unsigned(provider))?;
    let claimed = signature.strip_prefix("sha256=").and_then(bytes);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("an HMAC takes keys of any length");
    mac.update(delivery.body);
    let is_right = claimed.is_some_and(|claimed| mac.verify_slice(&claimed).is_ok());
    if is_right { Ok(()) } else { Err(Error::Unauthorized(provider)) }
}

fn bytes(digits: &str) -> Option<[u8; LENGTH]> {
    let digits = digits.as_bytes();
    if digits.len() != 2 * LENGTH {
        return None;
    }
    let mut bytes = [0; LENGTH];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let value = |digit: u8| char::from(digit).to_digit(16).and_then(|v| u8::try_from(v).ok());
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}
