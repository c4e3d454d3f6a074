use std::sync::Arc;

use parking_lot::RwLock;
use rustls::client::verify_server_name;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A key with its certificates, under the name of its files.
#[derive(Debug)]
pub(super) struct Certificate {
    pub(super) name: String,
    pub(super) key: Arc<CertifiedKey>,
}

/// Those that are in use; never empty.
#[derive(Debug)]
pub(super) struct Certificates {
    all: Vec<Certificate>,
    made: Made,
}

impl Certificates {
    /// The first is for clients that name no host, or one that none is for.
    pub(super) fn new(all: Vec<Certificate>) -> Self {
        assert!(!all.is_empty(), "there is a first certificate");
        Self { all, made: Made::Elsewhere }
    }

    /// The names of their files.
    pub(super) fn names(&self) -> String {
        self.all.iter().map(|certificate| certificate.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn of(&self, host: Option<&str>) -> &Certificate {
        let named = host.and_then(|host| {
            let by_content = self.all.iter().find(|certificate| is_for(&certificate.key, host));
            by_content.or_else(|| self.all.iter().find(|certificate| certificate.name.eq_ignore_ascii_case(host)))
        });
        named.unwrap_or(&self.all[0])
    }
}

fn is_for(key: &CertifiedKey, host: &str) -> bool {
    let (Some(first), Ok(host)) = (key.cert.first(), ServerName::try_from(host)) else { return false };
    ParsedCertificate::try_from(first).is_ok_and(|certificate| verify_server_name(&certificate, &host).is_ok())
}

/// Whose work a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    ByUs,
    Elsewhere,
}

/// The certificates of a listener, which may be exchanged.
#[derive(Debug)]
pub(super) struct Store {
    current: RwLock<Arc<Certificates>>,
}

impl Store {
    pub(super) fn new(certificates: Certificates) -> Self {
        Self { current: RwLock::new(Arc::new(certificates)) }
    }

    pub(super) fn self_signed(key: CertifiedKey) -> Self {
        let certificate = Certificate { name: "self-signed".to_owned(), key: Arc::new(key) };
        Self::new(Certificates { made: Made::ByUs, ..Certificates::new(vec![certificate]) })
    }

    pub(super) fn exchange(&self, certificates: Certificates) {
        *self.current.write() = Arc::new(certificates);
    }

    pub(super) fn made(&self) -> Made {
        self.current.read().made
    }
}

impl ResolvesServerCert for Store {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let certificates = Arc::clone(&self.current.read());
        Some(Arc::clone(&certificates.of(hello.server_name()).key))
    }
}
