//! The worker's side: one sheet after the other, in a process that may die of one.

use std::{
    fs,
    io::{self, BufRead, Write},
    panic::{self, AssertUnwindSafe},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        mpsc::{self, Receiver},
    },
};

use rlimit::Resource;
use ssbuild_diagnostic::{Code, Diagnostic, Place};

use super::{
    Sheet, StyleNames, StyleOptions,
    composes::Composed,
    css::{self, Ask, Printed, Source, Texts},
    files::Files,
    message::{Compiled, FromWorker, ToWorker},
    origin::Origin,
    refs::Naming,
    sass,
};
use crate::{
    disk::{Disk, RealDisk},
    project::without_bom,
};

/// Stack of the thread that compiles, in bytes: Sass may recurse some thousand times.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// What the last panic said.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// Compiles what is asked for on `stdin` until that ends. It ends with it in the middle of a sheet, too, so that no worker
/// outlives its parent.
pub fn run_worker(stdin: impl BufRead, stdout: impl Write + Send + 'static) -> io::Result<()> {
    let mut messages = stdin.lines().map(|line| line.and_then(|line| Ok(serde_json::from_str::<ToWorker>(&line)?)));
    let memory_bytes = match messages.next().transpose()? {
        Some(ToWorker::Start { memory_bytes }) => memory_bytes,
        Some(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "a worker is started before it is asked")),
        None => return Ok(()),
    };
    // A panic is told in a diagnostic; what it prints by itself would hide the last words of a worker that dies later.
    panic::set_hook(Box::new(|panic| {
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = panic.payload_as_str().unwrap_or("a panic").to_owned();
    }));
    let (sender, receiver) = mpsc::channel();
    // lightningcss parses imports on rayon's threads: one, so that their order does not change, with our stack.
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(STACK_BYTES).build().map_err(io::Error::other)?;
    pool.spawn(move || serve(&receiver, stdout));
    limit_memory(memory_bytes)?;
    for message in messages {
        if sender.send(message?).is_err() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the worker's answers"));
        }
    }
    Ok(())
}

/// Lets the process take `more_bytes` of address space beyond what it has.
fn limit_memory(more_bytes: u64) -> io::Result<()> {
    let status = fs::read_to_string("/proc/self/status")?;
    let has_kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let has_kib = has_kib.ok_or_else(|| io::Error::other("the system does not say how much memory the worker has"))?;
    let limit = has_kib.saturating_mul(1024).saturating_add(more_bytes);
    let (_, hard) = Resource::AS.get()?;
    Resource::AS.set(limit.min(hard), hard)
}

/// Answers until nobody asks any more.
fn serve(messages: &Receiver<ToWorker>, mut stdout: impl Write) {
    let mut say = |message: &FromWorker| -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        stdout.write_all(&line)?;
        stdout.flush()
    };
    while let Ok(ToWorker::Compile { sheet, options }) = messages.recv() {
        let mut ask = |found: Vec<_>| {
            let asked = found.len();
            match say(&FromWorker::Urls(found)).ok().and_then(|()| messages.recv().ok()) {
                Some(ToWorker::Urls(answers)) => answers,
                // The parent is gone, and this process with it.
                _ => vec![None; asked],
            }
        };
        let compiled = panic::catch_unwind(AssertUnwindSafe(|| compile(&sheet, &options, &RealDisk, &mut ask)))
            .unwrap_or_else(|_| panicked(&sheet.path));
        if say(&FromWorker::Done(compiled)).is_err() {
            break;
        }
    }
}

fn panicked(path: &str) -> Compiled {
    let said = PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let diagnostic =
        Diagnostic::new(Code::CompilerPanic, format!("the style compiler gave up on the stylesheet: {said}"))
            .at(Place::file(path), "")
            .help(
                "This is a defect of the compiler. Make the sheet smaller until it passes, to see what it trips over.",
            );
    Compiled { diagnostics: vec![diagnostic], ..Compiled::default() }
}

fn compile(sheet: &Sheet, options: &StyleOptions, disk: &dyn Disk, ask: &mut Ask<'_>) -> Compiled {
    let text: Arc<str> = without_bom(&sheet.text).into();
    let files = Files::new(disk, Path::new(&options.root), &sheet.path, &text);
    let entry = sheet.path.as_str();
    let result = match &sheet.made {
        Some(made) => {
            let origin = Origin::of_map(&made.sources, &made.mappings);
            css::compile(&source(&files, entry, &made.css, Naming::Made, Some(&origin), options), options, ask)
        }
        None if entry.ends_with(".css") => {
            css::compile(&source(&files, entry, &text, Naming::Css, None, options), options, ask)
        }
        None => sass::compile(entry, &files, options.maps).and_then(|made| {
            let naming = Naming::Sass { sources: &made.sources };
            let source = source(&files, entry, &made.css, naming, made.origin.as_ref(), options);
            match css::compile(&source, options, ask) {
                Ok(printed) => Ok(Printed { warnings: [made.warnings, printed.warnings].concat(), ..printed }),
                Err(found) => Err([found, made.warnings].concat()),
            }
        }),
    };
    let Printed { css, lead_bytes, origins, exports, map, warnings: diagnostics } =
        result.unwrap_or_else(|found| Printed { warnings: found, ..Printed::default() });
    let (files_read, files_missed) = files.finish(entry);
    let files_hashed = files.hashes();
    Compiled { css, lead_bytes, origins, exports, map, files_read, files_missed, files_hashed, diagnostics }
}

fn source<'a>(
    files: &'a Files<'a>,
    entry: &'a str,
    css: &'a str,
    naming: Naming<'a>,
    origin: Option<&'a Origin>,
    options: &StyleOptions,
) -> Source<'a> {
    let composed = match options.names {
        StyleNames::Local => Composed::local(),
        StyleNames::Global => Composed::default(),
    };
    Source { entry, css, files, naming, origin, composed, blanks: RwLock::default(), texts: Texts::default() }
}
