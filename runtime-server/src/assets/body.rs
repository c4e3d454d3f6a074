use std::io::{self, SeekFrom};
use std::path::Path;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// How much of a file is in memory at a time.
const CHUNK_BYTES: u64 = 64 * 1024;

/// A body that reads a file as it is sent. A file that turns out shorter breaks the connection off, which is the only
/// way left to say so.
pub(super) async fn stream(path: &Path, from: u64, length: u64) -> io::Result<Body> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(from)).await?;
    let chunks = stream::try_unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let wanted = left.min(CHUNK_BYTES);
        let mut chunk = Vec::with_capacity(usize::try_from(wanted).expect("a chunk fits in memory"));
        (&mut file).take(wanted).read_to_end(&mut chunk).await?;
        if chunk.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - chunk.len() as u64;
        Ok(Some((Bytes::from(chunk), (file, left))))
    });
    Ok(Body::from_stream(chunks))
}

/// One body after the other.
pub(super) fn chain(bodies: Vec<Body>) -> Body {
    Body::from_stream(stream::iter(bodies).flat_map(Body::into_data_stream))
}
