//! One authority, and a certificate for each who speaks.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Node;
use crate::k8s::kubectl::output;

pub(super) fn make(node: &Node) -> anyhow::Result<()> {
    let folder = node.folder().join("pki");
    fs::create_dir_all(&folder)?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        &folder,
        &format!("req -x509 {key} -days 365 -keyout ca.key -out ca.crt -subj /CN=mira-node"),
    )?;
    openssl(&folder, "ecparam -genkey -name prime256v1 -noout -out sa.key")?;
    openssl(&folder, "ec -in sa.key -pubout -out sa.pub")?;
    let address = node.address();
    let api = format!(
        "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:10.96.0.1,IP:{address}"
    );
    let kubelet = format!("DNS:{},IP:{address}", node.name());
    let of_node = format!("/O=system:nodes/CN=system:node:{}", node.name());
    for (name, subject, names) in [
        ("apiserver", "/CN=kube-apiserver", api.as_str()),
        ("kubelet", of_node.as_str(), kubelet.as_str()),
        ("admin", "/O=system:masters/CN=admin", ""),
        ("controller-manager", "/CN=system:kube-controller-manager", ""),
        ("scheduler", "/CN=system:kube-scheduler", ""),
        ("proxy", "/CN=system:kube-proxy", ""),
    ] {
        openssl(&folder, &format!("req {key} -keyout {name}.key -out {name}.csr -subj {subject}"))?;
        let names =
            if names.is_empty() { String::new() } else { format!("subjectAltName={names}\n") };
        let extensions =
            format!("keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n{names}");
        fs::write(folder.join("extensions"), extensions)?;
        openssl(
            &folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 365 \
                 -out {name}.crt -extfile extensions"
            ),
        )?;
        if name != "apiserver" {
            fs::write(node.folder().join(format!("{name}.kubeconfig")), kubeconfig(node, name))?;
        }
    }
    Ok(())
}

fn kubeconfig(node: &Node, user: &str) -> String {
    let (name, address, pki) = (node.name(), node.address(), node.folder().join("pki"));
    let pki = pki.display();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {name}\n\
         clusters: [{{name: {name}, cluster: {{server: \"https://{address}:6443\", \
         certificate-authority: {pki}/ca.crt}}}}]\n\
         users: [{{name: {user}, user: {{client-certificate: {pki}/{user}.crt, \
         client-key: {pki}/{user}.key}}}}]\n\
         contexts: [{{name: {name}, context: {{cluster: {name}, user: {user}}}}}]\n"
    )
}

fn openssl(folder: &Path, line: &str) -> anyhow::Result<()> {
    output(Command::new("openssl").args(line.split_whitespace()).current_dir(folder), "").map(drop)
}
