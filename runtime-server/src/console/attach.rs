//! The other end of the console: a prompt on a terminal, or lines of standard input.

use std::cell::RefCell;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{Config, Context, Editor, Helper, Highlighter, Hinter, Validator};

use super::{Asked, Told};

/// Why there is no console.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// Nobody listens there.
    #[error("no server has its console at {}: {error} (--state-dir names the state folder of the server)", path.display())]
    NoServer {
        /// Where.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The server went away.
    #[error("the server is gone: {0}")]
    Gone(#[from] io::Error),
    /// The terminal cannot be used.
    #[error("cannot read from the terminal: {0}")]
    Terminal(#[from] ReadlineError),
}

/// A server's console, asked line by line.
struct Line {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

impl Line {
    fn ask(&mut self, asked: &Asked) -> io::Result<Told> {
        let mut text = serde_json::to_string(asked).map_err(io::Error::other)?;
        text.push('\n');
        self.to.write_all(text.as_bytes())?;
        let mut answer = String::new();
        if self.from.read_line(&mut answer)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&answer).map_err(io::Error::other)
    }
}

/// Talks with the server at this socket: with a prompt, history (kept in `history`) and completion on a terminal, else by the
/// lines of standard input. Answers whether every line could be evaluated.
pub fn attach(socket: &Path, history: &Path) -> Result<bool, AttachError> {
    let to = UnixStream::connect(socket).map_err(|error| AttachError::NoServer { path: socket.to_owned(), error })?;
    let from = BufReader::new(to.try_clone()?);
    let line = Rc::new(RefCell::new(Line { to, from }));
    if io::stdin().is_terminal() { prompt(&line, history).map(|()| true) } else { script(&line) }
}

fn script(line: &RefCell<Line>) -> Result<bool, AttachError> {
    let mut fine = true;
    for code in io::stdin().lock().lines() {
        let code = code?;
        if !code.trim().is_empty() {
            fine &= evaluate(line, code)?;
        }
    }
    Ok(fine)
}

fn prompt(line: &Rc<RefCell<Line>>, history: &Path) -> Result<(), AttachError> {
    let config = Config::builder().auto_add_history(true).build();
    let mut editor: Editor<Names, DefaultHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Names { line: Rc::clone(line) }));
    // The first time there is none.
    let _ = editor.load_history(history);
    loop {
        match editor.readline("> ") {
            Ok(code) if code.trim().is_empty() => {}
            Ok(code) if matches!(code.trim(), ".exit" | "exit" | "quit") => break,
            Ok(code) => drop(evaluate(line, code)?),
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    // A history that cannot be kept is no failure of what was done.
    let _ = editor.save_history(history);
    Ok(())
}

/// Evaluates a line and shows what came of it; whether it did not fail.
fn evaluate(line: &RefCell<Line>, code: String) -> Result<bool, AttachError> {
    let told = line.borrow_mut().ask(&Asked::Evaluate(code))?;
    match told {
        Told::Value(text) => {
            writeln!(anstream::stdout().lock(), "{text}")?;
            Ok(true)
        }
        Told::Failed(text) => {
            let style = anstyle::Style::new().fg_color(Some(anstyle::AnsiColor::Red.into()));
            writeln!(anstream::stderr().lock(), "{style}{text}{style:#}")?;
            Ok(false)
        }
        Told::Names(_) => Ok(true),
    }
}

/// Completes paths with what the server has.
#[derive(Helper, Highlighter, Hinter, Validator)]
struct Names {
    line: Rc<RefCell<Line>>,
}

impl Completer for Names {
    type Candidate = Pair;

    fn complete(&self, text: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let before = &text[..at];
        let path_start = before
            .rfind(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '$' | '.'))
            .map_or(0, |i| i + before[i..].chars().next().map_or(1, char::len_utf8));
        let path = &before[path_start..];
        let word_start = path_start + path.rfind('.').map_or(0, |dot| dot + 1);
        // Without an answer there is nothing to propose.
        let names = match self.line.borrow_mut().ask(&Asked::Complete(path.to_owned())) {
            Ok(Told::Names(names)) => names,
            _ => Vec::new(),
        };
        let pairs = names.into_iter().map(|name| Pair { display: name.clone(), replacement: name });
        Ok((word_start, pairs.collect()))
    }
}
