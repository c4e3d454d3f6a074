//! Keys of the screen. They are read one by one, for which the terminal is in raw mode; what is written meanwhile has to
//! end its lines with a carriage return.

use std::{
    io::{self, Write},
    thread,
};

use crossterm::{
    event::{Event, KeyCode, KeyEventKind, KeyModifiers, read},
    terminal::{disable_raw_mode, enable_raw_mode},
};

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Rebuild,
    Open,
    Clear,
    Quit,
    /// No key: the terminal has another size.
    Resized,
}

/// Reads keys as long as it lives.
#[derive(Debug)]
pub(super) struct Keys(());

impl Keys {
    /// Calls `pressed` for each key, on a thread of its own. None when the terminal gives no keys.
    pub(super) fn listen(pressed: impl Fn(Key) + Send + 'static) -> Option<Self> {
        enable_raw_mode().ok()?;
        thread::spawn(move || {
            while let Ok(event) = read() {
                let key = match event {
                    Event::Key(key) if key.kind != KeyEventKind::Release => key,
                    Event::Resize(..) => {
                        pressed(Key::Resized);
                        continue;
                    }
                    _ => continue,
                };
                let control = key.modifiers.contains(KeyModifiers::CONTROL);
                let asked = match key.code {
                    KeyCode::Char('c' | 'd') if control => Key::Quit,
                    KeyCode::Char('q') => Key::Quit,
                    KeyCode::Char('r') => Key::Rebuild,
                    KeyCode::Char('o') => Key::Open,
                    KeyCode::Char('c') => Key::Clear,
                    _ => continue,
                };
                pressed(asked);
            }
        });
        Some(Self(()))
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        // A terminal that is gone needs no mode.
        drop(disable_raw_mode());
    }
}

/// Ends lines as a terminal in raw mode wants it.
#[derive(Debug)]
pub(super) struct Raw<W>(pub(super) W);

impl<W: Write> Write for Raw<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(text) => {
                    self.0.write_all(text.strip_suffix(b"\r").unwrap_or(text))?;
                    self.0.write_all(b"\r\n")?;
                }
                None => self.0.write_all(line)?,
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Raw;

    #[test]
    fn lines_end_with_a_carriage_return() {
        let mut raw = Raw(Vec::new());
        raw.write_all(b"one\ntwo\r\nthree").expect("a vector takes all");
        assert_eq!(raw.0, b"one\r\ntwo\r\nthree");
    }
}
