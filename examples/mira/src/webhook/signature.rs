use core_types::Secret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::Delivery;
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
/// [`Error::Unauthorized`], for a missing and for a wrong signature alike.
pub fn verify(secret: &Secret<String>, delivery: &Delivery<'_>) -> Result<(), Error> {
    let claimed = delivery.signature.and_then(|text| text.strip_prefix("sha256=")).and_then(bytes);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("an HMAC takes keys of any length");
    mac.update(delivery.body);
    mac.verify_slice(&claimed.ok_or(Error::Unauthorized)?).map_err(|_| Error::Unauthorized)
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
