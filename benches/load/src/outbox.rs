use crate::frame::{self, Kind};

/// A message that would make a frame larger than this begins another.
const FRAME_BYTES: usize = 16 * 1024;

/// What a client is about to write: frames, and the messages of one that is not complete.
pub(crate) struct Outbox {
    frames: Vec<u8>,
    /// Divided by line feeds.
    messages: Vec<u8>,
    count: usize,
    /// Messages of a frame.
    most: usize,
}

impl Outbox {
    /// With something that is no frame to begin with; later up to `most` messages in a frame.
    pub(crate) fn new(head: String, most: usize) -> Self {
        Self { frames: head.into_bytes(), messages: Vec::new(), count: 0, most }
    }

    /// Appends a frame of its own.
    pub(crate) fn frame(&mut self, kind: Kind, payload: &[u8]) {
        self.seal();
        frame::push(&mut self.frames, kind, payload);
    }

    /// Appends a message, which `write` writes.
    pub(crate) fn message(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.messages.len();
        if self.count > 0 {
            self.messages.push(b'\n');
        }
        write(&mut self.messages);
        self.count += 1;
        if self.count > 1 && self.messages.len() > FRAME_BYTES {
            frame::push(&mut self.frames, Kind::Text, &self.messages[..before]);
            self.messages.drain(..=before);
            self.count = 1;
        }
        if self.count == self.most {
            self.seal();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.count == 0
    }

    /// All that is to be written.
    pub(crate) fn bytes(&mut self) -> &[u8] {
        self.seal();
        &self.frames
    }

    /// So many bytes were written.
    pub(crate) fn wrote(&mut self, count: usize) {
        self.frames.drain(..count);
        for buffer in [&mut self.frames, &mut self.messages] {
            if buffer.is_empty() && buffer.capacity() > 4096 {
                *buffer = Vec::new();
            }
        }
    }

    fn seal(&mut self) {
        if self.count > 0 {
            frame::push(&mut self.frames, Kind::Text, &self.messages);
            self.messages.clear();
            self.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the messages of each frame are.
    fn frames(outbox: &mut Outbox) -> Vec<Vec<usize>> {
        let bytes = outbox.bytes().to_vec();
        let (mut at, mut frames) = (0, Vec::new());
        while at < bytes.len() {
            // As a server would send it: without the bit that says that there is a mask.
            let mut frame = bytes[at..].to_vec();
            frame[1] &= 0x7f;
            let (_, payload, size) = frame::first(&frame).expect("a frame").expect("a whole one");
            let mask = &bytes[at + size - payload.len()..][..4];
            let payload = &bytes[at + size - payload.len() + 4..at + size + 4];
            let text: Vec<u8> = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask).collect();
            frames.push(text.split(|byte| *byte == b'\n').map(<[u8]>::len).collect());
            at += size + 4;
        }
        frames
    }

    fn filled(most: usize, lengths: &[usize]) -> Outbox {
        let mut outbox = Outbox::new(String::new(), most);
        for length in lengths {
            outbox.message(|into| into.extend(std::iter::repeat_n(b'x', *length)));
        }
        outbox
    }

    #[test]
    fn messages_leave_together_up_to_a_number() {
        assert_eq!(frames(&mut filled(3, &[1, 2, 3, 4])), [vec![1, 2, 3], vec![4]]);
        assert_eq!(frames(&mut filled(1, &[1, 2])), [[1], [2]]);
    }

    #[test]
    fn large_ones_go_alone() {
        assert_eq!(frames(&mut filled(64, &[10, 20_000, 30, 40])), [vec![10], vec![20_000], vec![30, 40]]);
        assert_eq!(frames(&mut filled(64, &[8_191, 8_192, 1])), [vec![8_191, 8_192], vec![1]]);
    }

    #[test]
    fn another_frame_keeps_the_order() {
        let mut outbox = filled(64, &[1]);
        outbox.frame(Kind::Text, b"12345");
        assert_eq!(frames(&mut outbox), [[1], [5]]);
        let written = outbox.bytes().len();
        outbox.wrote(written);
        assert!(outbox.is_empty());
    }
}
