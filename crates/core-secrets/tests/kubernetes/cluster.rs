//! What an administrator does: namespaces, Secrets, roles, service accounts.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::process::Command;

use super::server::{Server, admin};

pub(crate) struct Cluster {
    url: String,
    certificate: PathBuf,
}

impl Cluster {
    pub(crate) fn of(server: &Server) -> Self {
        Self { url: server.url(), certificate: server.certificate() }
    }

    /// By curl: whoever includes this need not have a client of Kubernetes.
    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "20"]);
        curl.arg("--cacert").arg(&self.certificate).args(["--request", method]);
        curl.args(["--header", &format!("authorization: Bearer {}", admin())]);
        curl.args(["--header", &format!("content-type: {kind}")]);
        if let Some(body) = body {
            curl.args(["--data", &body.to_string()]);
        }
        let output = curl.arg(format!("{}{path}", self.url)).kill_on_drop(true).output().await;
        let output = output.unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null));
        }
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        self.ask("GET", path, None).await
    }

    async fn create(&self, path: &str, body: Value) -> Value {
        self.ask("POST", path, Some(&body)).await.unwrap()
    }

    pub(crate) async fn namespace(&self, name: &str) {
        self.create("/api/v1/namespaces", json!({"metadata": {"name": name}})).await;
    }

    pub(crate) async fn secret(&self, namespace: &str, name: &str, values: Value) {
        let path = format!("/api/v1/namespaces/{namespace}/secrets");
        self.create(&path, json!({"metadata": {"name": name}, "stringData": values})).await;
    }

    pub(crate) async fn change(&self, namespace: &str, name: &str, values: Value) {
        let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
        self.ask("PATCH", &path, Some(&json!({"stringData": values}))).await.unwrap();
    }

    /// A service account that may only get and watch the given Secrets. Returns what a token of it
    /// has to claim.
    pub(crate) async fn reader(&self, namespace: &str, names: &[&str]) -> Value {
        let accounts = format!("/api/v1/namespaces/{namespace}/serviceaccounts");
        let account = self.create(&accounts, json!({"metadata": {"name": "reader"}})).await;
        let rules = "/apis/rbac.authorization.k8s.io/v1/namespaces";
        let role = json!({
            "metadata": {"name": "reader"},
            "rules": [{
                "apiGroups": [""],
                "resources": ["secrets"],
                "resourceNames": names,
                "verbs": ["get", "watch"],
            }],
        });
        self.create(&format!("{rules}/{namespace}/roles"), role).await;
        let binding = json!({
            "metadata": {"name": "reader"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "reader", "namespace": namespace}],
        });
        self.create(&format!("{rules}/{namespace}/rolebindings"), binding).await;
        json!({
            "sub": format!("system:serviceaccount:{namespace}:reader"),
            "kubernetes.io": {
                "namespace": namespace,
                "serviceaccount": {"name": "reader", "uid": account["metadata"]["uid"]},
            },
        })
    }
}
