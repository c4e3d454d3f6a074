//! The part of RFC 6455 that a load generator needs.

/// Ours for every frame: the receiver has to undo it, whatever it is.
const MASK: [u8; 4] = [0x5a, 0xc3, 0x17, 0x88];

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Ping,
    Pong,
    Close,
}

/// Appends a frame of a client.
pub(crate) fn push(out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
    out.push(match kind {
        Kind::Text => 0x81,
        Kind::Close => 0x88,
        Kind::Ping => 0x89,
        Kind::Pong => 0x8a,
    });
    match payload.len() {
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 126")]
        len @ ..126 => out.push(0x80 | len as u8),
        len => match u16::try_from(len) {
            Ok(len) => {
                out.push(0x80 | 126);
                out.extend(len.to_be_bytes());
            }
            Err(_) => {
                out.push(0x80 | 127);
                out.extend((len as u64).to_be_bytes());
            }
        },
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A frame, its payload, and how many bytes it takes.
pub(crate) type Framed<'a> = (Kind, &'a [u8], usize);

/// The first frame of a server; `None` while it is not whole.
pub(crate) fn first(bytes: &[u8]) -> Result<Option<Framed<'_>>, String> {
    let [head, short, ..] = *bytes else { return Ok(None) };
    let (from, len) = match short {
        126 if bytes.len() >= 4 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
        127 if bytes.len() >= 10 => {
            let len = bytes[2..10].iter().fold(0_u64, |len, byte| len << 8 | u64::from(*byte));
            (10, usize::try_from(len).map_err(|_| "a frame that is too long".to_owned())?)
        }
        126 | 127 => return Ok(None),
        len @ ..126 => (2, usize::from(len)),
        _ => return Err("a masked frame".to_owned()),
    };
    let kind = match head {
        0x81 => Kind::Text,
        0x88 => Kind::Close,
        0x89 => Kind::Ping,
        0x8a => Kind::Pong,
        other => return Err(format!("a frame that starts with {other:#04x}")),
    };
    Ok(bytes.get(from..from + len).map(|payload| (kind, payload, from + len)))
}
