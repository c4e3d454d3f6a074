//! TLS: certificates from a folder, chosen by the name that a client asks for, exchanged while connections last; without
//! any, a certificate of our own making.

mod folder;
mod self_signed;
mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;

pub use folder::CertificateError;

use crate::config::Https;
use crate::log::{self, Log};
use folder::{Files, Folder};
use store::{Made, Store};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// What encrypts the connections of a listener.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    store: Arc<Store>,
    folder: Folder,
    /// What is in use; the files are small.
    files: Files,
}

/// Where certificates are.
#[derive(Debug, Clone)]
pub struct CertificatePlaces {
    /// `<name>.key.pem`, `<name>.cert.pem` and, when there is one, `<name>.ca.pem` with the chain.
    pub folder: PathBuf,
    /// Where a certificate of our own making is kept.
    pub state_dir: PathBuf,
}

impl Tls {
    /// Loads the certificates, or makes one when there are none.
    pub fn start(https: &Https, places: CertificatePlaces, log: &Log) -> Result<Self, CertificateError> {
        let folder = Folder::new(places.folder, https.cert_name.clone());
        let files = folder.read()?;
        let provider = Arc::new(ring::default_provider());
        let store = if files.is_empty() {
            let (made, path) = self_signed::get(&places.state_dir, https, &provider)?;
            log.warn(format_args!(
                "there is no certificate in {}: {} is used, which browsers warn of",
                folder.path().display(),
                path.display()
            ));
            Store::self_signed(made)
        } else {
            let certificates = folder.load(&files, &provider)?;
            log.say(log::CALLS, format_args!("certificates: {}", certificates.names()));
            Store::new(certificates)
        };
        let store = Arc::new(store);
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Library)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&store) as Arc<_>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.ticketer = ring::Ticketer::new().map_err(CertificateError::Library)?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), store, folder, files })
    }

    pub(crate) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Whether browsers can be asked to insist on TLS: with a certificate that they do not trust, they would insist on nothing.
    pub(crate) fn is_trusted(&self) -> bool {
        self.store.made() == Made::Elsewhere
    }

    /// Uses what is in the folder now for handshakes from here on, when it has changed and is whole.
    pub fn reload(&mut self) -> Result<Reload, CertificateError> {
        let files = self.folder.read()?;
        if files == self.files || files.is_empty() {
            return Ok(Reload::Same);
        }
        let certificates = self.folder.load(&files, &ring::default_provider())?;
        let names = certificates.names();
        self.store.exchange(certificates);
        self.files = files;
        Ok(Reload::Changed(names))
    }

    /// Looks every few seconds, and at SIGHUP, until it is dropped.
    pub(crate) async fn follow(mut self, log: Log) -> std::io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut failed = None;
        loop {
            tokio::select! {
                hangup = hangup.recv() => if hangup.is_none() { return std::future::pending().await },
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.reload() {
                Ok(Reload::Same) => failed = None,
                Ok(Reload::Changed(names)) => log.say(log::CALLS, format_args!("new certificates: {names}")),
                Err(error) => {
                    let error = error.to_string();
                    if failed.as_ref() != Some(&error) {
                        log.error(format_args!("the new certificates are not used, those before stay: {error}"));
                    }
                    failed = Some(error);
                }
            }
        }
    }
}

/// What came of another look.
#[derive(Debug, PartialEq, Eq)]
pub enum Reload {
    /// Nothing new.
    Same,
    /// Others are used; their names.
    Changed(String),
}
