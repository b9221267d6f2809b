//! Signatures of requests, version 4, as AWS' documentation of it has them.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Who asks where, and when.
pub(super) struct Signer<'a> {
    pub(super) id: &'a str,
    pub(super) key: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) at: OffsetDateTime,
}

impl Signer<'_> {
    /// The moment, as the header `x-amz-date` has it.
    pub(super) fn date(&self) -> String {
        let at = self.at;
        format!("{}T{:02}{:02}{:02}Z", self.day(), at.hour(), at.minute(), at.second())
    }

    fn day(&self) -> String {
        format!("{:04}{:02}{:02}", self.at.year(), u8::from(self.at.month()), self.at.day())
    }

    /// The header `authorization` of a request for `/`. The headers are all that are signed: by
    /// lower-case names, in their order.
    pub(super) fn authorization(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> String {
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let request = format!("{method}\n/\n\n{lines}\n{names}\n{}", hex(&Sha256::digest(body)));
        let scope = format!("{}/{}/{}/aws4_request", self.day(), self.region, self.service);
        let hash = hex(&Sha256::digest(request));
        let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", self.date());
        let signature = hex(&mac(&self.signing_key(), &text));
        let id = self.id;
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
        )
    }

    fn signing_key(&self) -> Zeroizing<Vec<u8>> {
        let first = Zeroizing::new(format!("AWS4{}", self.key).into_bytes());
        let parts = [&*self.day(), self.region, self.service, "aws4_request"];
        parts.into_iter().fold(first, |key, part| mac(&key, part))
    }
}

fn mac(key: &[u8], text: &str) -> Zeroizing<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    Zeroizing::new(mac.chain_update(text).finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = concat!("wJalrXUtnFEMI/K7MDENG", "+bPxRfiCYEXAMPLEKEY");

    fn signer(service: &str, at: i64) -> Signer<'_> {
        let at = OffsetDateTime::from_unix_timestamp(at).unwrap();
        Signer { id: "AKIDEXAMPLE", key: KEY, region: "us-east-1", service, at }
    }

    /// SEC-1: the case `get-vanilla` of AWS' own test suite.
    #[test]
    fn a_request_is_signed_as_aws_does() {
        let signer = signer("service", 1_440_938_160);
        assert_eq!(signer.date(), "20150830T123600Z");
        let headers = [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")];
        assert_eq!(
            signer.authorization("GET", &headers, b""),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, \
             Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        );
    }
}
