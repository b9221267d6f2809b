//! The node's first process, which starts the others and buries whoever ends.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use rustix::process::WaitOptions;

use super::{Node, words};
use crate::k8s::pause;

/// Never returns while the node is there.
pub(crate) fn init(name: &str) -> anyhow::Result<()> {
    let node = Node::new(name)?;
    words("mount -t proc proc /proc")?;
    words("mount -t tmpfs tmpfs /run")?;
    words("mount --make-rshared /")?;
    words("ip link set lo up")?;
    words("sysctl -qw net.ipv4.ip_forward=1")?;
    // Where bridged packets pass the packet filter anyway, there is no such switch.
    let _ = words("sysctl -qw net.bridge.bridge-nf-call-iptables=1");
    let (folder, address) = (node.folder(), node.address());
    std::env::set_current_dir(&folder)?;
    let start = |name: &str, program: &Path, arguments: String| -> anyhow::Result<()> {
        let log = File::create(format!("log/{name}.log"))?;
        Command::new(program)
            .args(arguments.split_whitespace())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(())
    };
    let server = |name: &str, arguments: String| start(name, &node.program(name), arguments);
    // Nothing that a node for trying things out keeps is worth a wait for the disk.
    server(
        "etcd",
        "--data-dir etcd --unsafe-no-fsync \
         --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
         --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
         --initial-cluster default=http://127.0.0.1:2380"
            .into(),
    )?;
    server(
        "kube-apiserver",
        format!(
            "--etcd-servers http://127.0.0.1:2379 --secure-port 6443 --advertise-address {address} \
             --service-cluster-ip-range 10.96.0.0/16 --authorization-mode Node,RBAC \
             --enable-admission-plugins NodeRestriction --client-ca-file pki/ca.crt \
             --tls-cert-file pki/apiserver.crt --tls-private-key-file pki/apiserver.key \
             --kubelet-client-certificate pki/admin.crt --kubelet-client-key pki/admin.key \
             --kubelet-preferred-address-types InternalIP \
             --service-account-key-file pki/sa.pub --service-account-signing-key-file pki/sa.key \
             --service-account-issuer https://kubernetes.default.svc"
        ),
    )?;
    start("containerd", Path::new("containerd"), "-c containerd.toml".into())?;
    while node.kubectl().run(&["get", "--raw", "/readyz"]).is_err() {
        pause();
    }
    server(
        "kube-controller-manager",
        "--kubeconfig controller-manager.kubeconfig --leader-elect=false \
         --service-account-private-key-file pki/sa.key --root-ca-file pki/ca.crt \
         --use-service-account-credentials \
         --cluster-signing-cert-file pki/ca.crt --cluster-signing-key-file pki/ca.key"
            .into(),
    )?;
    server("kube-scheduler", "--kubeconfig scheduler.kubeconfig --leader-elect=false".into())?;
    let folder = folder.display();
    server(
        "kubelet",
        format!(
            "--config kubelet.yaml --kubeconfig kubelet.kubeconfig --hostname-override {name} \
             --node-ip {address} --root-dir {folder}/kubelet --cert-dir {folder}/kubelet/pki"
        ),
    )?;
    server(
        "kube-proxy",
        format!(
            "--kubeconfig proxy.kubeconfig --hostname-override {name} --cluster-cidr 10.244.0.0/16 \
             --proxy-mode iptables --conntrack-max-per-core 0 \
             --conntrack-tcp-timeout-established 0s --conntrack-tcp-timeout-close-wait 0s"
        ),
    )?;
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((process, status))) => eprintln!("{process:?} has ended: {status:?}"),
            Ok(None) => {}
            Err(error) => return Err(error).context("the node has no processes"),
        }
    }
}
