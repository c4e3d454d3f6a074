use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::store::{Certificate, Certificates};

const KEY: &str = ".key.pem";
const CERTIFICATE: &str = ".cert.pem";
const CHAIN: &str = ".ca.pem";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file does not hold what its name says.
    #[error("{}: {message}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// `https.cert_name` is not among the certificates.
    #[error("there is no `{name}{CERTIFICATE}` in {} (https.cert_name), only {found}", folder.display())]
    Unknown {
        /// The name.
        name: String,
        /// Where.
        folder: PathBuf,
        /// Which there are.
        found: String,
    },
    /// No certificate could be made.
    #[error("cannot make a certificate: {0}")]
    Make(String),
    /// The TLS library refuses.
    #[error("TLS cannot be set up: {0}")]
    Library(rustls::Error),
}

/// The folder of certificates.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    cert_name: String,
}

/// The bytes of all certificates' files, by name and ending.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

impl Folder {
    pub(super) fn new(path: PathBuf, cert_name: String) -> Self {
        Self { path, cert_name }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All files of certificates; none when there is no folder.
    pub(super) fn read(&self) -> Result<Files, CertificateError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Files::new()),
            Err(error) => return Err(CertificateError::File { path: self.path.clone(), error }),
        };
        let mut files = Files::new();
        for entry in entries.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if [KEY, CERTIFICATE, CHAIN].iter().any(|ending| name.ends_with(ending)) {
                let bytes = read(&entry.path())?;
                files.insert(name, bytes);
            }
        }
        Ok(files)
    }

    /// The certificates in `files`, the one of `https.cert_name` first.
    pub(super) fn load(&self, files: &Files, provider: &CryptoProvider) -> Result<Certificates, CertificateError> {
        let names: Vec<&str> =
            files.keys().filter_map(|name| name.strip_suffix(CERTIFICATE).or_else(|| name.strip_suffix(KEY))).collect();
        if !names.contains(&self.cert_name.as_str()) {
            let mut found = names;
            found.dedup();
            let found = found.join(", ");
            return Err(CertificateError::Unknown {
                name: self.cert_name.clone(),
                folder: self.path.clone(),
                found: if found.is_empty() { "chains".to_owned() } else { found },
            });
        }
        let mut certificates = vec![self.certificate(&self.cert_name, files, provider)?];
        let others = files.keys().filter_map(|name| name.strip_suffix(CERTIFICATE));
        for name in others.filter(|name| *name != self.cert_name) {
            certificates.push(self.certificate(name, files, provider)?);
        }
        Ok(Certificates::new(certificates))
    }

    fn certificate(
        &self,
        name: &str,
        files: &Files,
        provider: &CryptoProvider,
    ) -> Result<Certificate, CertificateError> {
        let path = |ending: &str| self.path.join(format!("{name}{ending}"));
        let file = |ending: &str| {
            files
                .get(&format!("{name}{ending}"))
                .ok_or_else(|| CertificateError::File { path: path(ending), error: io::ErrorKind::NotFound.into() })
        };
        let key = file(KEY)?;
        let mut chain = chain(file(CERTIFICATE)?, &path(CERTIFICATE))?;
        if let Some(more) = files.get(&format!("{name}{CHAIN}")) {
            chain.extend(self::chain(more, &path(CHAIN))?);
        }
        let key = parse(key, chain, &path(KEY), provider)?;
        Ok(Certificate { name: name.to_owned(), key: key.into() })
    }
}

/// A key with its certificates.
pub(super) fn parse(
    key: &[u8],
    chain: Vec<CertificateDer<'static>>,
    path: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let content = |message: String| CertificateError::Content { path: path.to_owned(), message };
    let key =
        PrivateKeyDer::from_pem_slice(key).map_err(|error| content(format!("this is no private key: {error}")))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => content("this key is not that of the certificate".to_owned()),
        error => content(error.to_string()),
    })
}

/// The certificates in a file, at least one.
pub(super) fn chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let content = |message: String| CertificateError::Content { path: path.to_owned(), message };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let chain = chain.map_err(|error| content(error.to_string()))?;
    if chain.is_empty() { Err(content("there is no certificate in it".to_owned())) } else { Ok(chain) }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|error| CertificateError::File { path: path.to_owned(), error })
}
