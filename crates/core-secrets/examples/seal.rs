//! Seals secrets for the backend `encrypted`:
//!
//! ```sh
//! cargo run -p core-secrets --features encrypted --example seal -- secrets.json passphrase secrets.sealed
//! ```

use std::error::Error;
use std::fs;

use core_secrets::backend::Encrypted;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [secrets, passphrase, sealed] = &*arguments else {
        return Err("usage: seal JSON-FILE PASSPHRASE-FILE SEALED-FILE".into());
    };
    let passphrase = fs::read_to_string(passphrase)?.into();
    fs::write(sealed, Encrypted::seal(&fs::read_to_string(secrets)?, &passphrase)?)?;
    Ok(())
}
