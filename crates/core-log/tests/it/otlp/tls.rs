//! A collector behind TLS, with an authority of its own.

use std::io::{BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tracing::info_span;

use super::{config, exporting, request};
use crate::output::SOON;

/// An authority's certificate, and a server that it vouches for.
fn certified() -> (String, Arc<ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap().pem();
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (authority, Arc::new(server))
}

/// Answers each request, and tells of it; a client that does not trust it is not heard.
fn collector(server: Arc<ServerConfig>) -> (String, Receiver<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, received) = channel();
    // It ends with the test's process, or when nobody wants to know any more.
    let serve = move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&server)).unwrap();
            let mut stream = BufReader::new(StreamOwned::new(connection, stream.unwrap()));
            while let Some((_, body)) = request(&mut stream) {
                if sender.send(body).is_err() {
                    return;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                stream.get_mut().write_all(answer).unwrap();
            }
        }
    };
    std::thread::Builder::new().name("tls-collector".into()).spawn(serve).unwrap();
    (endpoint, received)
}

/// LOG-9: spans go over TLS to a collector whose authority is trusted, and to no other.
#[test]
fn only_a_trusted_collector_gets_spans() {
    let folder = tempfile::tempdir().unwrap();
    let (authority, server) = certified();
    let (stranger, _) = certified();
    let (endpoint, received) = collector(server);
    for (trusted, exported) in [(stranger, 0), (authority, 1)] {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, trusted).unwrap();
        let mut config = config(&endpoint);
        config.timeout = SOON;
        config.certificate = Some(path);
        let seen = exporting(config, |logging| {
            info_span!("work").in_scope(|| ());
            logging.close_traces(SOON);
        });
        assert_eq!(seen.dropped(), 1 - exported);
        assert_eq!(received.try_iter().count() as u64, exported);
    }
}
