//! Text assets, compressed once at build time so that the server never does.

use std::{collections::BTreeMap, io};

use brotli::enc::BrotliEncoderParams;
use libdeflater::{CompressionLvl, Compressor};
use rayon::prelude::*;
use ssbuild_server::{config::Compress, manifest::Encoding};

/// Below this many bytes a compressed answer saves nothing: it fits into one packet either way.
const WORTHWHILE_BYTES: usize = 256;

struct Levels {
    brotli: i32,
    zstd: i32,
    gzip: i32,
}

/// The bytes in each encoding that makes them smaller.
pub fn encodings(bytes: &[u8], how: Compress) -> Result<BTreeMap<Encoding, Vec<u8>>, io::Error> {
    let levels = match how {
        Compress::Off => return Ok(BTreeMap::new()),
        Compress::Fast => Levels { brotli: 9, zstd: 15, gzip: 9 },
        Compress::Max => Levels { brotli: 11, zstd: 19, gzip: 12 },
    };
    if bytes.len() < WORTHWHILE_BYTES {
        return Ok(BTreeMap::new());
    }
    let encoded: Vec<(Encoding, Vec<u8>)> = Encoding::ALL
        .par_iter()
        .map(|&encoding| Ok((encoding, encode(bytes, encoding, &levels)?)))
        .collect::<io::Result<_>>()?;
    Ok(encoded.into_iter().filter(|(_, encoded)| encoded.len() < bytes.len()).collect())
}

fn encode(bytes: &[u8], encoding: Encoding, levels: &Levels) -> io::Result<Vec<u8>> {
    match encoding {
        Encoding::Brotli => {
            let params =
                BrotliEncoderParams { quality: levels.brotli, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
            let mut out = Vec::with_capacity(bytes.len() / 3);
            brotli::BrotliCompress(&mut &bytes[..], &mut out, &params)?;
            Ok(out)
        }
        Encoding::Zstd => zstd::bulk::compress(bytes, levels.zstd),
        Encoding::Gzip => {
            let level = CompressionLvl::new(levels.gzip).expect("the levels are in libdeflate's range");
            let mut compressor = Compressor::new(level);
            let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
            let used = compressor.gzip_compress(bytes, &mut out).expect("the buffer has the bound's size");
            out.truncate(used);
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use ssbuild_server::{config::Compress, manifest::Encoding};

    use super::encodings;

    #[test]
    fn every_encoding_gives_the_bytes_back() {
        let text = "function(module, exports, require) { return 'again and again'; }\n".repeat(50).into_bytes();
        for how in [Compress::Fast, Compress::Max] {
            let all = encodings(&text, how).unwrap();
            assert_eq!(all.len(), 3);
            let mut plain = Vec::new();
            brotli::Decompressor::new(&all[&Encoding::Brotli][..], 4096).read_to_end(&mut plain).unwrap();
            assert_eq!(plain, text);
            assert_eq!(zstd::bulk::decompress(&all[&Encoding::Zstd], text.len()).unwrap(), text);
            let mut plain = vec![0; text.len()];
            libdeflater::Decompressor::new().gzip_decompress(&all[&Encoding::Gzip], &mut plain).unwrap();
            assert_eq!(plain, text);
        }
    }

    #[test]
    fn what_does_not_shrink_is_left_out() {
        let mut state = 1u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        })
        .take(4096)
        .collect();
        assert!(encodings(&noise, Compress::Fast).unwrap().is_empty());
        assert!(encodings(b"short", Compress::Fast).unwrap().is_empty());
        assert!(encodings(&[b'a'; 4096], Compress::Off).unwrap().is_empty());
    }
}
