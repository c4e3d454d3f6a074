//! TLS from the client's side: certificates made for a test, and a client that notes which one it is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Writes a certificate for `hosts` under `name`; returns it.
pub(crate) fn write_certificate(folder: &Path, name: &str, hosts: &[&str]) -> CertificateDer<'static> {
    let key = KeyPair::generate().expect("a key");
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let certificate = CertificateParams::new(hosts).expect("names").self_signed(&key).expect("a certificate");
    write(folder, name, &key, &certificate.pem());
    certificate.der().clone()
}

/// As [`write_certificate`], signed by an authority whose certificate is the chain.
pub(crate) fn write_signed(folder: &Path, name: &str, hosts: &[&str]) -> Vec<CertificateDer<'static>> {
    let mut params = CertificateParams::new(Vec::new()).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let params = CertificateParams::new(hosts).expect("names");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    write(folder, name, &key, &certificate.pem());
    std::fs::write(folder.join(format!("{name}.ca.pem")), authority.pem()).expect("a chain");
    vec![certificate.der().clone(), authority.der().clone()]
}

fn write(folder: &Path, name: &str, key: &KeyPair, certificate: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(folder.join(format!("{name}.key.pem")), key.serialize_pem()).expect("a key");
    std::fs::write(folder.join(format!("{name}.cert.pem")), certificate).expect("a certificate");
}

/// Shakes hands, whatever certificate is shown.
pub(crate) async fn connect(
    address: SocketAddr,
    host: &str,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    config.enable_sni = host.parse::<std::net::IpAddr>().is_err();
    let stream = TcpStream::connect(address).await.expect("the server listens");
    let name = ServerName::try_from(host.to_owned()).expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// The certificates that a host shows.
pub(crate) async fn shown(address: SocketAddr, host: &str) -> Vec<CertificateDer<'static>> {
    let stream = connect(address, host, &["http/1.1"]).await.expect("a handshake");
    let certificates = stream.get_ref().1.peer_certificates().expect("the server shows one");
    certificates.iter().map(|certificate| certificate.clone().into_owned()).collect()
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
