//! Text assets, compressed once at build time so that the server never does.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use brotli::enc::BrotliEncoderParams;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use rayon::prelude::*;
use ssbuild_server::{config::Compress, manifest::Encoding};

/// Up to this many bytes the best that brotli can do takes no time to speak of.
const SMALL_BYTES: usize = 16 * 1024;
/// Below this many bytes a compressed answer saves nothing: it fits into one packet either way.
const WORTHWHILE_BYTES: usize = 256;

const BROTLI_BEST: i32 = 11;

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
        Compress::Max => Levels { brotli: BROTLI_BEST, zstd: 19, gzip: 12 },
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
            let quality = if bytes.len() <= SMALL_BYTES { BROTLI_BEST } else { levels.brotli };
            let params = BrotliEncoderParams { quality, lgwin: 22, size_hint: bytes.len(), ..Default::default() };
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

/// Whether `encoded` gives `plain` back.
pub fn is_encoding_of(encoded: &[u8], encoding: Encoding, plain: &[u8]) -> bool {
    match encoding {
        Encoding::Brotli => {
            let mut decoded = Vec::with_capacity(plain.len());
            // One byte more than wanted shows that there is more.
            let limit = plain.len() as u64 + 1;
            let read = brotli::Decompressor::new(encoded, 4096).take(limit).read_to_end(&mut decoded);
            read.is_ok() && decoded == plain
        }
        Encoding::Zstd => zstd::bulk::decompress(encoded, plain.len()).is_ok_and(|decoded| decoded == plain),
        Encoding::Gzip => {
            let mut decoded = vec![0; plain.len()];
            let length = Decompressor::new().gzip_decompress(encoded, &mut decoded);
            length.is_ok_and(|length| decoded[..length] == *plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use ssbuild_server::config::Compress;

    use super::{encodings, is_encoding_of};

    #[test]
    fn every_encoding_gives_the_bytes_back() {
        let text = "function(module, exports, require) { return 'again and again'; }\n".repeat(50).into_bytes();
        for how in [Compress::Fast, Compress::Max] {
            let all = encodings(&text, how).unwrap();
            assert_eq!(all.len(), 3);
            for (&encoding, encoded) in &all {
                assert!(is_encoding_of(encoded, encoding, &text));
                assert!(!is_encoding_of(encoded, encoding, &text[1..]));
                assert!(!is_encoding_of(&encoded[..encoded.len() / 2], encoding, &text));
            }
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
