//! What an administrator does: namespaces, Secrets, roles, service accounts.

use std::path::PathBuf;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::server::{Server, admin};

pub(crate) struct Cluster {
    kubeconfig: PathBuf,
}

impl Cluster {
    pub(crate) fn of(server: &Server) -> Self {
        let kubeconfig = server.kubeconfig("admin.kubeconfig", &format!("{{token: {}}}", admin()));
        Self { kubeconfig }
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> kube::Result<Value> {
        let kubeconfig = Kubeconfig::read_from(&self.kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.unwrap();
        config.default_retry = false;
        let client = kube::Client::try_from(config)?;
        let kind = match method {
            "PATCH" => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = Request::builder().method(method).uri(path).header("content-type", kind);
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let text = client.request_text(request.body(body).unwrap()).await?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> kube::Result<Value> {
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
