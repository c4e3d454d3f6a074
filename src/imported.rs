//! Modules that stand for files which are imported for what they are: pictures, texts, workers, WebAssembly.

use std::{path::Path, sync::Arc};

use ssbuild_diagnostic::{Code, Diagnostic, Place, Severity};

use crate::{
    asset::content_type,
    disk::{Disk, DiskError},
    form::Form,
    graph::{FileAsked, FileModule, ImportSheet},
    project::Format,
    public::{FromSheets, PublicFiles},
    resolve::Side,
    style::UrlResolver,
    wasm,
    workers::Worker,
    zone::relative,
};

/// What it takes to make them.
pub struct Imports<'a> {
    /// Where files are read.
    pub disk: &'a dyn Disk,
    /// Files that can be served.
    pub public: &'a PublicFiles,
    /// Largest file that is written into the code, in bytes; 0 for none.
    pub inline_bytes: u64,
    /// Who compiles stylesheets.
    pub import_sheet: &'a ImportSheet<'a>,
}

impl Imports<'_> {
    /// The module for all but workers.
    pub fn module(&self, asked: FileAsked<'_>) -> Result<FileModule, DiskError> {
        match asked.form {
            Form::Absent => Ok(FileModule::of(exports(&quoted(asked.name)))),
            Form::Raw => FileModule::alone(self.disk, asked),
            Form::Inline if Format::of(asked.name).is_sheet() => self.sheet(asked),
            Form::Url | Form::Served | Form::Inline => self.address(asked),
            Form::Wasm => {
                let bytes = self.disk.read(asked.path)?;
                let name = asked.name.rsplit('/').next().expect("a path has a last part");
                Ok(match wasm::source(&bytes, name) {
                    Ok(source) => FileModule::of(source),
                    Err(what) => FileModule::failed(unreadable(asked.name, &what)),
                })
            }
            Form::WasmInit => {
                let file = self.address(FileAsked { form: Form::Served, ..asked })?;
                let source = file.source.replacen("module.exports=", "var url=", 1)
                    + ";module.exports=function(imports){return WebAssembly.instantiateStreaming(fetch(url),imports)\
                       .then(function(made){return made.instance})}";
                Ok(FileModule { source, ..file })
            }
            Form::Module | Form::Node | Form::Worker | Form::WorkerUrl | Form::SharedWorker => {
                unreachable!("these are made elsewhere")
            }
        }
    }

    fn address(&self, asked: FileAsked<'_>) -> Result<FileModule, DiskError> {
        if !self.public.admit(asked.name)? {
            let message = format!("`{}` lies where nothing is served from", asked.name);
            let found = Diagnostic::new(Code::UrlEscapes, message).at(Place::file(asked.name), "");
            // In a browser that is said of the import itself.
            let found = if asked.side == Side::Client { Vec::new() } else { vec![found] };
            return Ok(FileModule { source: exports("\"\""), found, ..FileModule::default() });
        }
        let limit = match asked.form {
            Form::Inline => u64::MAX,
            Form::Url if is_shown(asked.name) => self.inline_bytes,
            _ => 0,
        };
        if let Some(data) = (FromSheets { files: self.public, inline_bytes: limit }).inlined(asked.name) {
            return Ok(FileModule::of(exports(&quoted(&data))));
        }
        let path = self.public.peek_from_sheets(asked.name).expect("what was admitted can be named");
        let source = match asked.side {
            Side::Client => exports(&format!("require.b+{}", quoted(&format!("/assets/{path}")))),
            Side::Server => exports(&quoted(&format!("/assets/{path}"))),
        };
        Ok(FileModule { served: Some(asked.name.to_owned()), ..FileModule::of(source) })
    }

    /// The text of a stylesheet, compiled, which does not become one of the page's.
    fn sheet(&self, asked: FileAsked<'_>) -> Result<FileModule, DiskError> {
        let Ok(text) = String::from_utf8(self.disk.read(asked.path)?) else {
            return Ok(FileModule::failed(unreadable(asked.name, "is not UTF-8")));
        };
        let imported = (self.import_sheet)(asked.name, &text);
        let found = imported.output.diagnostics.clone();
        Ok(FileModule { found, ..FileModule::of(exports(&quoted(&imported.output.css))) })
    }
}

impl FileModule {
    /// Of its source alone.
    pub fn of(source: String) -> Self {
        Self { source, ..Self::default() }
    }

    /// For a program that has no page: texts are there, and addresses are paths from the app's folder.
    pub fn alone(disk: &dyn Disk, asked: FileAsked<'_>) -> Result<Self, DiskError> {
        if asked.form != Form::Raw {
            return Ok(Self::of(exports(&quoted(&format!("/{}", asked.name)))));
        }
        let text = String::from_utf8(disk.read(asked.path)?);
        Ok(text.map_or_else(
            |_| Self::failed(unreadable(asked.name, "is not UTF-8")),
            |text| Self::of(exports(&quoted(&text))),
        ))
    }

    fn failed(found: Diagnostic) -> Self {
        Self { found: vec![found], ..Self::default() }
    }

    /// Of a program that is being compiled, as one of `open`: the last of them, which asks, can start itself by the address
    /// that it has.
    pub fn of_open_worker(asked: FileAsked<'_>, root: &Path, open: &[&Path]) -> Self {
        if open.last() == Some(&asked.path) {
            let address = "self.location.href";
            return Self::of(exports(&match asked.form {
                Form::WorkerUrl => address.to_owned(),
                _ => format!("function(options){{return new Worker({address},options)}}"),
            }));
        }
        // Any of them may be met first: all say the same.
        let from = open.iter().position(|path| *path == asked.path).unwrap_or(0);
        let mut circle: Vec<String> = open[from..].iter().map(|path| relative(root, path)).collect();
        circle.sort_unstable();
        let names: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
        let message = format!("workers start each other: {}", names.join(", "));
        let found = circle.iter().fold(Diagnostic::new(Code::ImportCycle, message), |found, name| {
            found.at(Place::file(name), "names the address of another, which depends on what this one is")
        });
        let found = Diagnostic { severity: Severity::Error, ..found };
        Self::failed(found.help("Let the page start them, and join them with a `MessageChannel`."))
    }

    /// Of a program that runs beside the page.
    pub fn of_worker(form: Form, worker: Arc<Worker>) -> Self {
        // A worker must come from the page's own host; it is told where the other files are.
        let address = quoted(&format!("/assets/{}", worker.address()));
        let address = format!("{address}+(require.b&&\"#\"+encodeURI(require.b))");
        let class = if form == Form::SharedWorker { "SharedWorker" } else { "Worker" };
        let source = match form {
            Form::WorkerUrl => exports(&address),
            _ => exports(&format!("function(options){{return new {class}({address},options)}}")),
        };
        Self { source, found: worker.found.clone(), worker: Some(worker), served: None }
    }
}

/// Whether pages show it by its address, so that it may be one that holds it: their policy allows that of these.
fn is_shown(name: &str) -> bool {
    let kind = content_type(name).header;
    kind.starts_with("image/") || kind.starts_with("font/") || kind == "application/vnd.ms-fontobject"
}

fn unreadable(name: &str, what: &str) -> Diagnostic {
    Diagnostic::new(Code::FileUnreadable, format!("`{name}` {what}")).at(Place::file(name), "")
}

fn exports(value: &str) -> String {
    format!("module.exports={value}")
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is JSON")
}
