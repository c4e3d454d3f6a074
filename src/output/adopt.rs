use std::{path::Path, sync::Arc};

use ssbuild_server::manifest::Manifest;

use super::{ASSETS, Files, generations::Generations};
use crate::{
    asset::Fingerprint,
    compress::is_encoding_of,
    disk::{Disk, DiskError, Kind},
};

/// Makes use of compressed files that an earlier build has left and a kept build still needs.
///
/// The name of a compressed file holds the hash of the plain bytes, so another level of compression wants to put other
/// bytes under a name that a kept manifest names with its own hash. Whoever came first stays.
pub(super) fn adopt(
    disk: &dyn Disk,
    out: &Path,
    generations: &Generations,
    files: &mut Files,
    manifest: &mut Manifest,
) -> Result<(), DiskError> {
    for asset in manifest.assets.values_mut() {
        let Some(plain) = asset_name(&asset.file).and_then(|name| files.assets.get(name)).map(Arc::clone) else {
            continue;
        };
        for (&encoding, encoded) in &mut asset.encodings {
            let path = out.join(&encoded.file);
            if !generations.needs(&encoded.file) || !matches!(disk.kind(&path)?, Some(Kind::File(_))) {
                continue;
            }
            let there = disk.read(&path)?;
            let sha256 = Fingerprint::of(&there).as_str().to_owned();
            if sha256 != encoded.sha256 && is_encoding_of(&there, encoding, &plain) {
                (encoded.bytes, encoded.sha256) = (there.len() as u64, sha256);
                let name = asset_name(&encoded.file).expect("a compressed file lies beside its plain one");
                files.assets.insert(name.to_owned(), there.into());
            }
        }
    }
    Ok(())
}

fn asset_name(file: &str) -> Option<&str> {
    file.strip_prefix(ASSETS)?.strip_prefix('/')
}
