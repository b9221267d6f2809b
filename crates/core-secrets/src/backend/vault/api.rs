//! What is said to Vault, in the words of vaultrs. Nothing else knows that library.
//!
//! Its requests and answers are used, its client is not: that panics at a token with a line end,
//! reads variables of its own accord, drops the names of leases and the header `Retry-After`, logs
//! every 404 as an error, and has the token in its debug output.

use reqwest::Method;
use rustify::endpoint::Endpoint;
use rustify::enums::RequestMethod;
use serde_json::{Map, Value};
use vaultrs::api::auth::approle::requests::LoginWithApproleRequest;
use vaultrs::api::auth::kubernetes::requests::LoginWithKubernetesRequest;
use vaultrs::api::kv1::requests::{GetSecretRequest, SetSecretRequest};
use vaultrs::api::kv2::requests::ReadSecretRequest;
use vaultrs::api::token::requests::{
    LookupTokenSelfRequest, RenewTokenSelfRequest, RevokeTokenSelfRequest,
};
use vaultrs::api::{EndpointError, EndpointResult};
use zeroize::Zeroizing;

/// One request, but for the header that carries the token.
pub(super) struct Call {
    pub(super) method: Method,
    /// Below `/v1/`.
    pub(super) path: String,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// One answer, with the lease and the login that it may bring.
pub(super) type Reply = EndpointResult<Map<String, Value>>;

fn call(endpoint: &impl Endpoint) -> Call {
    let body = endpoint.body().ok().flatten().unwrap_or_default();
    let method = match endpoint.method() {
        RequestMethod::GET => Method::GET,
        _ => Method::POST,
    };
    // Some of the paths begin with a slash, some with a tab.
    let path = endpoint.path().trim().trim_start_matches('/').to_owned();
    Call { method, path, body: Zeroizing::new(body) }
}

/// Reads whatever is at a path.
pub(super) fn read(mount: &str, path: &str) -> Call {
    call(&GetSecretRequest { mount: mount.into(), path: path.into() })
}

/// Reads the newest version of a secret of a KV engine of version 2.
pub(super) fn read_versioned(mount: &str, path: &str) -> Call {
    call(&ReadSecretRequest { mount: mount.into(), path: path.into(), version: None })
}

/// Asks which engine is mounted at a place.
pub(super) fn mount(mount: &str) -> Call {
    read("sys/internal/ui/mounts", mount)
}

fn write(mount: &str, path: &str, data: &Value) -> Call {
    let data = data.to_string().into_bytes();
    call(&SetSecretRequest { mount: mount.into(), path: path.into(), data })
}

pub(super) fn renew_lease(id: &str, seconds: u64) -> Call {
    write("sys/leases", "renew", &serde_json::json!({ "lease_id": id, "increment": seconds }))
}

pub(super) fn revoke_lease(id: &str) -> Call {
    write("sys/leases", "revoke", &serde_json::json!({ "lease_id": id }))
}

pub(super) fn log_in_with_role(mount: &str, role_id: &str, secret_id: String) -> Call {
    let mut request =
        LoginWithApproleRequest { mount: mount.into(), role_id: role_id.into(), secret_id };
    let call = call(&request);
    zeroize::Zeroize::zeroize(&mut request.secret_id);
    call
}

pub(super) fn log_in_with_service_account(mount: &str, role: &str, jwt: String) -> Call {
    let mut request = LoginWithKubernetesRequest { mount: mount.into(), role: role.into(), jwt };
    let call = call(&request);
    zeroize::Zeroize::zeroize(&mut request.jwt);
    call
}

pub(super) fn look_up_self() -> Call {
    call(&LookupTokenSelfRequest {})
}

pub(super) fn renew_self() -> Call {
    call(&RenewTokenSelfRequest { increment: None })
}

pub(super) fn revoke_self() -> Call {
    call(&RevokeTokenSelfRequest {})
}

/// Reads an answer. What is wrong with it is not told, for that would quote it.
pub(super) fn reply(body: &[u8]) -> Option<Reply> {
    serde_json::from_slice(body).ok()
}

/// What Vault says is wrong.
pub(super) fn errors(body: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice(body).ok().map(|error: EndpointError| error.errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SEC-1: the requests are those of Vault's documentation; vaultrs has a tab and a slash in
    /// front of some paths.
    #[test]
    fn requests_are_as_vault_wants_them() {
        let line = |call: Call| {
            let body = String::from_utf8(call.body.to_vec()).unwrap();
            format!("{} {} {body}", call.method, call.path)
        };
        assert_eq!(line(read("database", "creds/app")), "GET database/creds/app ");
        assert_eq!(line(read_versioned("secret", "a/b")), "GET secret/data/a/b ");
        assert_eq!(line(mount("team/kv")), "GET sys/internal/ui/mounts/team/kv ");
        assert_eq!(line(renew_self()), "POST auth/token/renew-self ");
        assert_eq!(line(revoke_self()), "POST auth/token/revoke-self ");
        assert_eq!(line(look_up_self()), "GET auth/token/lookup-self ");
        assert_eq!(
            line(renew_lease("database/creds/app/1", 60)),
            r#"POST sys/leases/renew {"increment":60,"lease_id":"database/creds/app/1"}"#
        );
        assert_eq!(
            line(revoke_lease("database/creds/app/1")),
            r#"POST sys/leases/revoke {"lease_id":"database/creds/app/1"}"#
        );
        assert_eq!(
            line(log_in_with_role("approle", "role", "canary".into())),
            r#"POST auth/approle/login {"role_id":"role","secret_id":"canary"}"#
        );
        assert_eq!(
            line(log_in_with_service_account("kubernetes", "app", "canary".into())),
            r#"POST auth/kubernetes/login {"role":"app","jwt":"canary"}"#
        );
    }

    /// SEC-3: the name of a lease, which vaultrs' own calls drop, is kept.
    #[test]
    fn the_name_of_a_lease_is_kept() {
        let body = br#"{"request_id":"1","lease_id":"database/creds/app/1","renewable":true,
            "lease_duration":60,"data":{"username":"u","password":"canary"},"wrap_info":null,
            "warnings":null,"auth":null}"#;
        let reply = reply(body).unwrap();
        assert_eq!((&*reply.lease_id, reply.lease_duration), ("database/creds/app/1", 60));
        assert!(reply.renewable);
    }
}
