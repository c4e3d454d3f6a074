//! Carries messages to a worker process and back, as a task beside those of the connections: between a call's arrival and its
//! worker, and between its answer and its client, no thread has to wake another.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::UnixStream;

use super::link::Link;
use crate::engine::pool::{Batch, Mailbox};
use crate::wakes;

/// What is read at once.
const READ_BYTES: usize = 64 * 1024;

/// What a buffer keeps for the next messages.
const KEPT_BYTES: usize = 256 * 1024;

/// What has become of a worker process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// It is not needed any more.
    Stop,
    /// It is gone.
    Gone,
}

/// The socket to a worker process.
pub(super) struct Carrier {
    socket: UnixStream,
    link: Arc<Link>,
    mailbox: Arc<Mailbox>,
    most_ahead: usize,
    /// What is to be written, and how much of it is.
    out: String,
    written: usize,
    lines: Lines,
    stopping: bool,
}

/// Finds whole lines in what is read.
#[derive(Default)]
struct Lines {
    /// A line that has not come whole.
    rest: Vec<u8>,
}

/// Why the task looks up.
enum Turn {
    /// There is something to send: what others have at the same time goes with it.
    Gather,
    /// Nothing more comes.
    End,
}

impl Carrier {
    pub(super) fn new(socket: UnixStream, link: Arc<Link>, mailbox: Arc<Mailbox>, most_ahead: usize) -> Self {
        let (out, lines) = (String::new(), Lines::default());
        Self { socket, link, mailbox, most_ahead, out, written: 0, lines, stopping: false }
    }

    /// Carries until nothing comes any more, and says what has happened.
    pub(super) async fn carry(mut self, told: mpsc::Sender<Told>) {
        let mut buffer = vec![0; READ_BYTES];
        let mut gathered = false;
        loop {
            let turn = poll_fn(|cx| self.poll(cx, &mut buffer, std::mem::take(&mut gathered), &told)).await;
            match turn {
                Turn::Gather => {
                    // Those that are ready to run go first.
                    tokio::task::yield_now().await;
                    gathered = true;
                }
                Turn::End => break,
            }
        }
        // Nobody listens any more when it was to stop.
        let _ = told.send(Told::Gone);
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        mut gathered: bool,
        told: &mpsc::Sender<Told>,
    ) -> Poll<Turn> {
        loop {
            while self.write(cx).is_ready() && !self.stopping {
                let waits = self.mailbox.has_batch(self.most_ahead);
                if waits && !gathered {
                    return Poll::Ready(Turn::Gather);
                }
                match self.mailbox.batch(self.most_ahead, cx.waker()) {
                    None => break,
                    Some(Batch::Opened) => self.out.push_str("open\n"),
                    Some(Batch::Messages(messages)) => self.link.sending(messages, &mut self.out),
                    Some(Batch::Stop) => {
                        self.stopping = true;
                        let _ = told.send(Told::Stop);
                    }
                }
                gathered = false;
            }
            let mut into = ReadBuf::new(buffer);
            let read = match Pin::new(&mut self.socket).poll_read(cx, &mut into) {
                Poll::Ready(read) => read,
                Poll::Pending => return Poll::Pending,
            };
            if read.is_err() || into.filled().is_empty() {
                return Poll::Ready(Turn::End);
            }
            let batch = wakes::Batch::begin();
            self.lines.read(into.filled(), |lines| self.link.lines(lines));
            drop(batch);
            // Clients whose answers these are have waited for long enough.
            wakes::release();
        }
    }

    /// Writes what there is; ready when that is nothing more.
    fn write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.written < self.out.len() {
            match Pin::new(&mut self.socket).poll_write(cx, &self.out.as_bytes()[self.written..]) {
                Poll::Ready(Ok(count)) => self.written += count,
                // Reading sees the end too.
                Poll::Ready(Err(_)) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        self.out.clear();
        self.out.shrink_to(KEPT_BYTES);
        self.written = 0;
        Poll::Ready(())
    }
}

impl Lines {
    /// Tells of the lines that are whole, without the last line feed: of what was there before with the first, then of all others at once.
    fn read(&mut self, mut new: &[u8], mut told: impl FnMut(&[u8])) {
        if !self.rest.is_empty() {
            let Some(end) = memchr::memchr(b'\n', new) else { return self.rest.extend_from_slice(new) };
            self.rest.extend_from_slice(&new[..end]);
            told(&std::mem::take(&mut self.rest));
            new = &new[end + 1..];
        }
        match memchr::memrchr(b'\n', new) {
            Some(end) => {
                told(&new[..end]);
                self.rest.extend_from_slice(&new[end + 1..]);
            }
            None => self.rest.extend_from_slice(new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_they_come() {
        let text = "<1\t2\t3>\n\n[\"d\u{e9}n\"]\nlast\n";
        for size in 1..=text.len() {
            let mut lines = Lines::default();
            let mut found = String::new();
            for piece in text.as_bytes().chunks(size) {
                lines.read(piece, |some| {
                    found.push_str(std::str::from_utf8(some).expect("no character is cut"));
                    found.push('\n');
                });
            }
            assert_eq!((found.as_str(), lines.rest.len()), (text, 0), "in pieces of {size} bytes");
        }
    }
}
