use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use super::folder::{self, CertificateError};
use crate::config::Https;

const KEY: &str = "self-signed.key.pem";
const CERTIFICATE: &str = "self-signed.cert.pem";

/// The certificate of our own making, made at the first start and kept: a browser that was told to accept it knows it again.
pub(super) fn get(
    state_dir: &Path,
    https: &Https,
    provider: &CryptoProvider,
) -> Result<(CertifiedKey, PathBuf), CertificateError> {
    let (key, certificate) = (state_dir.join(KEY), state_dir.join(CERTIFICATE));
    if !key.is_file() || !certificate.is_file() {
        make(https, &key, &certificate)?;
    }
    let chain = folder::chain(&folder::read(&certificate)?, &certificate)?;
    let certified = folder::parse(&folder::read(&key)?, chain, &key, provider)?;
    Ok((certified, certificate))
}

fn make(https: &Https, key_path: &Path, certificate_path: &Path) -> Result<(), CertificateError> {
    let failed = |error: rcgen::Error| CertificateError::Make(error.to_string());
    let domain = https.domain.as_deref().map(|domain| domain.split(':').next().unwrap_or_default().to_owned());
    let mut names: Vec<String> = domain.into_iter().filter(|name| !name.is_empty()).collect();
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let common_name = names[0].clone();
    let mut params = CertificateParams::new(names).map_err(failed)?;
    params.distinguished_name.push(DnType::CommonName, common_name);
    let key = KeyPair::generate().map_err(failed)?;
    let certificate = params.self_signed(&key).map_err(failed)?;
    // The key first: without its certificate it is made again.
    write(key_path, key.serialize_pem().as_bytes())?;
    write(certificate_path, certificate.pem().as_bytes())
}

/// Writes a file that only its owner reads.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CertificateError> {
    let write = || -> io::Result<()> {
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| CertificateError::File { path: path.to_owned(), error })
}
