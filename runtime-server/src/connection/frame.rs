//! Frames of a websocket as a server reads and writes them (RFC 6455 §5), without extensions.

/// Longest payload of a control frame.
const CONTROL_BYTES: usize = 125;
/// Capacity that is kept for what has come in part.
const KEPT_BYTES: usize = 512;

/// What a client has sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'a> {
    /// A message of text.
    Text(&'a str),
    /// A message that is no text.
    Binary(&'a [u8]),
    /// It wants to hear this back.
    Ping(&'a [u8]),
    /// A sign of life.
    Pong,
    /// It says goodbye, with this code; nothing comes after it.
    Close(Option<u16>),
}

/// Why a client cannot be understood any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Garbled {
    /// A message is larger than it may be.
    TooLarge,
    /// A frame is none of this protocol.
    Frame,
    /// A text is not UTF-8.
    NotUtf8,
}

/// Makes messages out of bytes. Holds nothing while none is on its way.
#[derive(Debug)]
pub(super) struct Reader {
    /// A frame that has not come whole.
    rest: Vec<u8>,
    /// A message that has not.
    begun: Option<Box<Begun>>,
    closed: bool,
    max_bytes: usize,
}

/// The frames of a message so far.
#[derive(Debug)]
struct Begun {
    opcode: u8,
    payload: Vec<u8>,
    /// So much of it is text.
    text_bytes: usize,
}

/// The first bytes of a frame, understood.
struct Head {
    last: bool,
    opcode: u8,
    mask: [u8; 4],
    head_bytes: usize,
    bytes: usize,
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

impl Reader {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { rest: Vec::new(), begun: None, closed: false, max_bytes }
    }

    /// Takes the next bytes, which are scratch afterwards, and tells of each message in them.
    pub(super) fn read(&mut self, bytes: &mut [u8], told: &mut impl FnMut(Heard<'_>)) -> Result<(), Garbled> {
        if self.rest.is_empty() {
            let used = self.frames(bytes, told)?;
            self.rest.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let used = self.frames(&mut all, told)?;
        all.drain(..used);
        if !all.is_empty() || all.capacity() <= KEPT_BYTES {
            self.rest = all;
        }
        Ok(())
    }

    /// Reads the whole frames; how many bytes these were.
    fn frames(&mut self, bytes: &mut [u8], told: &mut impl FnMut(Heard<'_>)) -> Result<usize, Garbled> {
        let mut used = 0;
        while !self.closed {
            let Some(head) = self.head(&bytes[used..])? else { return Ok(used) };
            let from = used + head.head_bytes;
            let Some(payload) = bytes.get_mut(from..from + head.bytes) else { return Ok(used) };
            unmask(payload, head.mask);
            used = from + head.bytes;
            self.frame(&head, payload, told)?;
        }
        Ok(bytes.len())
    }

    /// The head of the first frame, when it has come and is one that may come now.
    fn head(&self, bytes: &[u8]) -> Result<Option<Head>, Garbled> {
        let [first, second, ..] = *bytes else { return Ok(None) };
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        let fits = match opcode {
            CONTINUATION => self.begun.is_some(),
            TEXT | BINARY => self.begun.is_none(),
            CLOSE | PING | PONG => last && usize::from(second & 0x7f) <= CONTROL_BYTES,
            _ => false,
        };
        // No extension has given the reserved bits a meaning, and clients mask.
        if !fits || first & 0x70 != 0 || second & 0x80 == 0 {
            return Err(Garbled::Frame);
        }
        let (length_bytes, bytes_long) = match second & 0x7f {
            126 => (2, bytes.get(2..4).map(|two| u64::from(u16::from_be_bytes(two.try_into().expect("two bytes"))))),
            127 => (8, bytes.get(2..10).map(|eight| u64::from_be_bytes(eight.try_into().expect("eight bytes")))),
            short => (0, Some(u64::from(short))),
        };
        let Some(long) = bytes_long else { return Ok(None) };
        let before = self.begun.as_ref().filter(|_| opcode == CONTINUATION).map_or(0, |begun| begun.payload.len());
        let long = usize::try_from(long)
            .ok()
            .filter(|long| *long <= self.max_bytes.max(CONTROL_BYTES) - before.min(self.max_bytes));
        // Before its payload is waited for.
        let Some(long) = long else { return Err(Garbled::TooLarge) };
        let head_bytes = 2 + length_bytes + 4;
        let mask = bytes.get(head_bytes - 4..head_bytes).map(|mask| mask.try_into().expect("four bytes"));
        Ok(mask.map(|mask| Head { last, opcode, mask, head_bytes, bytes: long }))
    }

    fn frame(&mut self, head: &Head, payload: &[u8], told: &mut impl FnMut(Heard<'_>)) -> Result<(), Garbled> {
        match head.opcode {
            PING => told(Heard::Ping(payload)),
            PONG => told(Heard::Pong),
            CLOSE => {
                let code = close_code(payload)?;
                self.closed = true;
                told(Heard::Close(code));
            }
            TEXT if head.last => told(Heard::Text(std::str::from_utf8(payload).map_err(|_| Garbled::NotUtf8)?)),
            BINARY if head.last => told(Heard::Binary(payload)),
            _ => self.part(head, payload, told)?,
        }
        Ok(())
    }

    /// A frame that is not a whole message.
    fn part(&mut self, head: &Head, payload: &[u8], told: &mut impl FnMut(Heard<'_>)) -> Result<(), Garbled> {
        let new = || Box::new(Begun { opcode: head.opcode, payload: Vec::new(), text_bytes: 0 });
        let begun = self.begun.get_or_insert_with(new);
        begun.payload.extend_from_slice(payload);
        if begun.opcode == TEXT {
            // What can be no text is refused before the rest has come.
            match std::str::from_utf8(&begun.payload[begun.text_bytes..]) {
                Ok(text) => begun.text_bytes += text.len(),
                Err(error) if error.error_len().is_none() && !head.last => begun.text_bytes += error.valid_up_to(),
                Err(_) => return Err(Garbled::NotUtf8),
            }
        }
        if head.last
            && let Some(whole) = self.begun.take()
        {
            match whole.opcode {
                TEXT => told(Heard::Text(std::str::from_utf8(&whole.payload).map_err(|_| Garbled::NotUtf8)?)),
                _ => told(Heard::Binary(&whole.payload)),
            }
        }
        Ok(())
    }
}

/// The code of a close frame, when it has one (RFC 6455 §7.4).
fn close_code(payload: &[u8]) -> Result<Option<u16>, Garbled> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return if payload.is_empty() { Ok(None) } else { Err(Garbled::Frame) };
    };
    let code = u16::from_be_bytes(*code);
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Garbled::Frame);
    }
    std::str::from_utf8(reason).map_err(|_| Garbled::NotUtf8)?;
    Ok(Some(code))
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (eights, rest) = payload.as_chunks_mut::<8>();
    for eight in eights {
        *eight = (u64::from_ne_bytes(*eight) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    // Seven bytes may remain, and a mask has four.
    for (byte, mask) in rest.iter_mut().skip(4).zip(mask) {
        *byte ^= mask;
    }
}

/// Appends the head of a message of text.
pub(super) fn push_text_head(out: &mut Vec<u8>, bytes: usize) {
    push_head(out, TEXT, bytes);
}

/// Bytes of the head of a message of text at most.
pub(super) const MOST_HEAD_BYTES: usize = 10;

/// Writes the head of a message of text that ends with `out`, behind a gap of [`MOST_HEAD_BYTES`] at `from`. What is left of the
/// gap is closed.
pub(super) fn set_text_head(out: &mut Vec<u8>, from: usize) {
    let payload = from + MOST_HEAD_BYTES;
    let bytes = out.len() - payload;
    let (head, head_bytes) = head(TEXT, bytes);
    out[from..payload].copy_from_slice(&head);
    out.drain(from + head_bytes..payload);
}

/// Appends the head of a message that is no text.
pub(super) fn push_binary_head(out: &mut Vec<u8>, bytes: usize) {
    push_head(out, BINARY, bytes);
}

/// Appends the answer of a ping.
pub(super) fn push_pong(out: &mut Vec<u8>, payload: &[u8]) {
    push_head(out, PONG, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a close frame.
pub(super) fn push_close(out: &mut Vec<u8>, code: Option<u16>, reason: &str) {
    let code = code.map(u16::to_be_bytes);
    let code = code.as_ref().map_or(&[][..], |code| &code[..]);
    push_head(out, CLOSE, code.len() + reason.len());
    out.extend_from_slice(code);
    out.extend_from_slice(reason.as_bytes());
}

fn push_head(out: &mut Vec<u8>, opcode: u8, bytes: usize) {
    let (head, head_bytes) = head(opcode, bytes);
    out.reserve(head_bytes + bytes.min(CONTROL_BYTES));
    out.extend_from_slice(&head[..head_bytes]);
}

/// The head of a frame that is a whole message, and how long that is.
fn head(opcode: u8, bytes: usize) -> ([u8; MOST_HEAD_BYTES], usize) {
    let mut head = [0; MOST_HEAD_BYTES];
    head[0] = 0x80 | opcode;
    match bytes {
        #[expect(clippy::cast_possible_truncation, reason = "it is less than 126")]
        0..126 => {
            head[1] = bytes as u8;
            (head, 2)
        }
        _ => match u16::try_from(bytes) {
            Ok(short) => {
                head[1] = 126;
                head[2..4].copy_from_slice(&short.to_be_bytes());
                (head, 4)
            }
            Err(_) => {
                head[1] = 127;
                head[2..].copy_from_slice(&(bytes as u64).to_be_bytes());
                (head, MOST_HEAD_BYTES)
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [1, 2, 3, 4];

    #[test]
    fn a_head_that_is_set_later_is_the_same() {
        for bytes in [0, 1, 125, 126, 65_535, 65_536] {
            let payload = vec![b'a'; bytes];
            let (mut first, mut later) = (b"before".to_vec(), b"before".to_vec());
            push_text_head(&mut first, bytes);
            first.extend_from_slice(&payload);
            later.extend_from_slice(&[0; MOST_HEAD_BYTES]);
            later.extend_from_slice(&payload);
            set_text_head(&mut later, b"before".len());
            assert!(first == later, "{bytes} bytes");
        }
    }

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        push_head(&mut frame, first & 0x0f, payload.len());
        frame[0] = first;
        frame[1] |= 0x80;
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// What a reader makes of bytes that come in pieces of this size.
    fn read(bytes: &[u8], piece: usize) -> Result<Vec<String>, Garbled> {
        let mut reader = Reader::new(70_000);
        let mut told = Vec::new();
        for piece in bytes.chunks(piece) {
            reader.read(&mut piece.to_vec(), &mut |heard| told.push(format!("{heard:?}")))?;
        }
        Ok(told)
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let long = "x".repeat(66_000);
        let bytes = [
            frame(0x81, b"one"),
            frame(0x01, "zw\u{f6}lf".as_bytes().split_at(3).0),
            frame(0x89, b"still there?"),
            frame(0x00, &"zw\u{f6}lf".as_bytes()[3..4]),
            frame(0x80, &"zw\u{f6}lf".as_bytes()[4..]),
            frame(0x81, &[b'y'; 300]),
            frame(0x82, &[0xff]),
            frame(0x8a, b""),
            frame(0x81, long.as_bytes()),
            frame(0x88, &[0x03, 0xe8]),
            frame(0x81, b"nobody listens any more"),
        ]
        .concat();
        let whole = read(&bytes, bytes.len()).expect("all of it is good");
        let told = [
            "Text(\"one\")".to_owned(),
            format!("Ping({:?})", b"still there?"),
            "Text(\"zw\u{f6}lf\")".to_owned(),
            format!("Text(\"{}\")", "y".repeat(300)),
            "Binary([255])".to_owned(),
            "Pong".to_owned(),
            format!("Text(\"{long}\")"),
            "Close(Some(1000))".to_owned(),
        ];
        assert_eq!(whole, told);
        for piece in [1, 2, 3, 7, 8, 13, 4096] {
            assert_eq!(read(&bytes, piece).as_ref(), Ok(&whole), "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_no_frame_of_a_client_is_refused() {
        let unmasked = vec![0x81, 0x00];
        let cases = [
            (unmasked, Garbled::Frame),
            (frame(0xc1, b"reserved bit"), Garbled::Frame),
            (frame(0x83, b"reserved opcode"), Garbled::Frame),
            (frame(0x80, b"continues nothing"), Garbled::Frame),
            ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), Garbled::Frame),
            (frame(0x09, b"a ping in parts"), Garbled::Frame),
            (frame(0x89, &[0; 126]), Garbled::Frame),
            (frame(0x88, &[3]), Garbled::Frame),
            (frame(0x88, &[0x03, 0xed]), Garbled::Frame),
            (frame(0x88, &[0x03, 0xe8, 0xff]), Garbled::NotUtf8),
            (frame(0x81, &[0xc3]), Garbled::NotUtf8),
            (frame(0x01, &[0xff]), Garbled::NotUtf8),
            ([frame(0x01, &[0xc3]), frame(0x80, b"")].concat(), Garbled::NotUtf8),
            (frame(0x81, &[b'x'; 70_001]), Garbled::TooLarge),
            ([frame(0x01, &[b'x'; 40_000]), frame(0x80, &[b'x'; 30_001])].concat(), Garbled::TooLarge),
        ];
        for (bytes, why) in cases {
            for piece in [1, bytes.len()] {
                assert_eq!(read(&bytes, piece), Err(why), "{:?}", &bytes[..bytes.len().min(20)]);
            }
        }
    }

    #[test]
    fn a_message_that_is_too_large_is_refused_by_its_head() {
        let mut reader = Reader::new(1000);
        let mut head = frame(0x81, &[b'x'; 1001])[..8].to_vec();
        assert_eq!(reader.read(&mut head, &mut |_| {}), Err(Garbled::TooLarge));
    }

    #[test]
    fn nothing_is_held_when_nothing_is_on_its_way() {
        let mut reader = Reader::new(70_000);
        let bytes = [frame(0x01, &[b'x'; 3000]), frame(0x80, &[b'x'; 3000])].concat();
        for piece in bytes.chunks(1000) {
            reader.read(&mut piece.to_vec(), &mut |_| {}).expect("it is good");
        }
        assert!(reader.begun.is_none() && reader.rest.capacity() <= KEPT_BYTES);
    }
}
