//! What the node's programs are told in files.

use std::fs;

use super::Node;

pub(super) fn write(node: &Node) -> anyhow::Result<()> {
    let folder = node.folder();
    fs::create_dir_all(folder.join("cni"))?;
    fs::write(folder.join("containerd.toml"), containerd(node))?;
    fs::write(folder.join("cni/10-pods.conflist"), PODS)?;
    fs::write(folder.join("resolv.conf"), "nameserver 10.96.0.10\n")?;
    fs::write(folder.join("kubelet.yaml"), kubelet(node))?;
    Ok(())
}

fn containerd(node: &Node) -> String {
    let folder = node.folder();
    let folder = folder.display();
    format!(
        r#"version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:1"
# Without CAP_SYS_RESOURCE no process may be made less likely to be killed, and no pod would start.
restrict_oom_score_adj = true
# The names' server binds port 53 as an ordinary user.
enable_unprivileged_ports = true
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/cni"
"#
    )
}

const PODS: &str = r#"{"cniVersion": "1.0.0", "name": "pods", "plugins": [
 {"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]],
           "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/pods"}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
"#;

fn kubelet(node: &Node) -> String {
    let (name, folder) = (node.name(), node.folder());
    let folder = folder.display();
    format!(
        "apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: {folder}/pki/ca.crt}}}}
authorization: {{mode: Webhook}}
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
cgroupDriver: cgroupfs
cgroupRoot: /{name}
# Version 1 of control groups will do.
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix://{folder}/containerd.sock
tlsCertFile: {folder}/pki/kubelet.crt
tlsPrivateKeyFile: {folder}/pki/kubelet.key
resolvConf: {folder}/resolv.conf
# The machine is shared: a disk that others have filled must not empty the node.
evictionHard: {{memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
"
    )
}
