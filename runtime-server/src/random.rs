//! Random bits for ids, tickets and epochs, from the operating system.

use crate::hex;

/// `BYTES` random bytes as hex digits.
pub(crate) fn hex<const BYTES: usize>() -> String {
    hex::encode(&bytes::<BYTES>())
}

/// `BYTES` random bytes.
pub(crate) fn bytes<const BYTES: usize>() -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A number below `bound`, near enough to even for spreading load; 0 when `bound` is.
pub(crate) fn below(bound: u64) -> u64 {
    u64::from_le_bytes(bytes()).checked_rem(bound).unwrap_or(0)
}
