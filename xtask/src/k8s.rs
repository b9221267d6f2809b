//! `cargo xtask k8s-up` and `k8s-down`: Mira on a cluster, shown to work, and taken away again.

mod contract;
mod manifest;
