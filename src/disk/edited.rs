//! A file that is another one but for some places.

use std::{
    io::{self, Read},
    ops::Range,
};

/// Bytes in the place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Of the bytes that go. Ranges rise and do not overlap.
    pub range: Range<usize>,
    /// What comes.
    pub bytes: Vec<u8>,
}

/// Bytes on their way from one file to the other.
#[derive(Debug, Clone, Copy)]
pub enum Passed<'a> {
    /// They are in both.
    Kept(&'a [u8]),
    /// They are in the old one.
    Gone(&'a [u8]),
    /// They are in the new one.
    New(&'a [u8]),
}

impl<'a> Passed<'a> {
    /// What of it is in the old file.
    pub fn read(self) -> &'a [u8] {
        match self {
            Self::Kept(bytes) | Self::Gone(bytes) => bytes,
            Self::New(_) => &[],
        }
    }

    /// What of it is in the new file.
    pub fn written(self) -> &'a [u8] {
        match self {
            Self::Kept(bytes) | Self::New(bytes) => bytes,
            Self::Gone(_) => &[],
        }
    }
}

/// Small enough to stay near the processor.
const BUFFER_BYTES: usize = 256 * 1024;

/// Hands on an edited file piece by piece.
pub(super) fn pass(
    from: &mut dyn Read,
    edits: &[Edit],
    tell: &mut dyn FnMut(Passed<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut at = 0;
    for Edit { range, bytes } in edits {
        exactly(from, &mut buffer, range.start - at, &mut |kept| tell(Passed::Kept(kept)))?;
        exactly(from, &mut buffer, range.len(), &mut |gone| tell(Passed::Gone(gone)))?;
        tell(Passed::New(bytes))?;
        at = range.end;
    }
    while let count @ 1.. = from.read(&mut buffer)? {
        tell(Passed::Kept(&buffer[..count]))?;
    }
    Ok(())
}

fn exactly(
    from: &mut dyn Read,
    buffer: &mut [u8],
    mut bytes: usize,
    tell: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    while bytes > 0 {
        let part = bytes.min(buffer.len());
        from.read_exact(&mut buffer[..part])?;
        tell(&buffer[..part])?;
        bytes -= part;
    }
    Ok(())
}
