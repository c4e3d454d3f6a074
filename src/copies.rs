//! Packages whose code looks for files beside itself: they are not linked but copied into the build, with what they depend
//! on, in a layout in which Node.js finds them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use ssbuild_diagnostic::{Code, Diagnostic};
use ssbuild_server::{copied::FolderHash, manifest::CopiedPackage};

use crate::{
    disk::{Disk, DiskError, Kind},
    graph::{Graph, Module},
    output::Bytes,
    project::PUBLIC_BYTES_MAX,
    zone::{Zone, relative},
};

/// A package as it is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub name: String,
    /// Its version, as it says.
    pub version: String,
    /// Folder below that of the server code.
    pub folder: String,
    /// Why it is copied.
    pub reason: String,
    /// Path below its folder to bytes.
    pub files: BTreeMap<String, Bytes>,
    /// Those of them that are programs.
    pub programs: BTreeSet<String>,
}

impl Copied {
    /// As the manifest describes it; `server` is the folder of the server code, below `dist`.
    pub fn described(&self, server: &str) -> CopiedPackage {
        let mut hash = FolderHash::default();
        self.files.iter().for_each(|(path, bytes)| hash.add(path, bytes));
        CopiedPackage {
            name: self.name.clone(),
            version: self.version.clone(),
            folder: format!("{server}/{}", self.folder),
            reason: self.reason.clone(),
            files: self.files.len(),
            sha256: hash.finish(),
        }
    }
}

/// Names that tell a module where it lies, or that find others while it runs.
const OWN_FOLDER: &[&str] = &[
    "__dirname",
    "__filename",
    "import.meta.dirname",
    "import.meta.filename",
    "import.meta.resolve",
    "import.meta.url",
    "require",
    "require.resolve",
];

/// Takes packages that need their own folder out of the graph: what imports them asks Node.js for the copy.
pub fn take_out(
    disk: &dyn Disk,
    root: &Path,
    graph: &mut Graph,
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<Copied>, DiskError> {
    let mut reasons: BTreeMap<PathBuf, String> = BTreeMap::new();
    for module in graph.modules.iter().filter(|module| module.zone == Zone::Package) {
        if let (Some(package), Some(reason)) = (package_of(module.path()), reason(module, found)) {
            reasons.entry(package).or_insert(reason);
        }
    }
    let mut layout = Layout { disk, placed: BTreeMap::new(), first: BTreeMap::new(), reasons, queue: VecDeque::new() };
    layout.all()?;
    graph.hand_over(|module| {
        let package = package_of(module.path())?;
        let folder = layout.first.get(&package)?;
        let below = relative(&package, module.path());
        Some(format!("./{folder}/{below}"))
    });
    let gone: Vec<String> = layout.first.keys().map(|package| format!("{}/", relative(root, package))).collect();
    found.retain(|diagnostic| {
        let file = diagnostic.labels.first().map(|label| label.place.file.as_str());
        !file.is_some_and(|file| gone.iter().any(|folder| file.starts_with(folder)))
    });
    layout.placed.iter().map(|(folder, package)| layout.copy(folder, package)).collect()
}

/// Why a module of a package cannot be linked, if so.
fn reason(module: &Module, found: &[Diagnostic]) -> Option<String> {
    let at = |line: u32, what: String| Some(format!("{}:{line} {what}", module.name));
    if let Some(global) = module.compiled.globals.iter().find(|global| OWN_FOLDER.contains(&global.name.as_str())) {
        return at(global.place.line, format!("uses `{}`", global.name));
    }
    let native = module.compiled.imports.iter().find(|import| import.specifier.ends_with(".node"));
    if let Some(import) = native {
        return at(import.place.line, format!("loads `{}`", import.specifier));
    }
    let dynamic = module.compiled.diagnostics.iter().find(|finding| finding.code == Code::ImportDynamic);
    if let Some(finding) = dynamic {
        return at(
            finding.labels.first().map_or(0, |label| label.place.line),
            "imports by a name that is computed".into(),
        );
    }
    let broken = found.iter().find(|finding| {
        finding.is_error() && finding.labels.first().is_some_and(|label| label.place.file == module.name)
    });
    broken.map(|finding| format!("{} cannot be linked: {}", module.name, finding.message))
}

/// The folder of the package that a file is in.
fn package_of(path: &Path) -> Option<PathBuf> {
    let parts: Vec<_> = path.components().collect();
    let last = parts.iter().rposition(|part| part.as_os_str() == "node_modules")?;
    let scoped = parts.get(last + 1)?.as_os_str().to_string_lossy().starts_with('@');
    let end = last + if scoped { 3 } else { 2 };
    (end < parts.len()).then(|| parts[..end].iter().collect())
}

fn name_of(package: &Path) -> String {
    let whole = package.to_string_lossy();
    whole.rsplit_once("node_modules/").map_or_else(|| whole.clone().into_owned(), |(_, name)| name.to_owned())
}

/// Which package lies where in the copy.
struct Layout<'a> {
    disk: &'a dyn Disk,
    /// Folder in the copy to the package's own.
    placed: BTreeMap<String, PathBuf>,
    /// The first place of each package, which linked code is sent to.
    first: BTreeMap<PathBuf, String>,
    reasons: BTreeMap<PathBuf, String>,
    queue: VecDeque<(String, PathBuf)>,
}

impl Layout<'_> {
    /// Places the packages that have a reason of their own, then what they depend on.
    fn all(&mut self) -> Result<(), DiskError> {
        for (nth, package) in self.reasons.keys().cloned().collect::<Vec<_>>().into_iter().enumerate() {
            let folder = format!("node_modules/{}", name_of(&package));
            // Two versions of one package: the second stands apart.
            let taken = self.placed.contains_key(&folder);
            self.place(if taken { format!("copies/{nth}/{folder}") } else { folder }, package);
        }
        while let Some((folder, package)) = self.queue.pop_front() {
            for name in dependencies(&self.manifest(&package)?) {
                let Some(needed) = self.find(&package, &name)? else { continue };
                match self.seen_from(&folder, &name) {
                    Some(there) if *there == needed => {}
                    Some(_) => self.place(format!("{folder}/node_modules/{name}"), needed),
                    None => self.place(format!("node_modules/{name}"), needed),
                }
            }
        }
        Ok(())
    }

    fn place(&mut self, folder: String, package: PathBuf) {
        self.first.entry(package.clone()).or_insert_with(|| folder.clone());
        self.placed.insert(folder.clone(), package.clone());
        self.queue.push_back((folder, package));
    }

    /// What Node.js would find of that name from a folder of the copy.
    fn seen_from(&self, folder: &str, name: &str) -> Option<&PathBuf> {
        let mut at = folder;
        loop {
            let slash = if at.is_empty() { "" } else { "/" };
            if let Some(package) = self.placed.get(&format!("{at}{slash}node_modules/{name}")) {
                return Some(package);
            }
            if at.is_empty() {
                return None;
            }
            at = at.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// The folder of a package that another one asks for by name, every link resolved.
    fn find(&self, from: &Path, name: &str) -> Result<Option<PathBuf>, DiskError> {
        for above in from.ancestors().filter(|above| !above.ends_with("node_modules")) {
            let candidate = above.join("node_modules").join(name);
            if self.disk.kind(&candidate)? == Some(Kind::Folder) {
                return self.disk.canonical(&candidate);
            }
        }
        Ok(None)
    }

    fn manifest(&self, package: &Path) -> Result<Value, DiskError> {
        let file = package.join("package.json");
        match self.disk.kind(&file)? {
            Some(Kind::File(_)) => Ok(serde_json::from_slice(&self.disk.read(&file)?).unwrap_or_default()),
            _ => Ok(Value::Null),
        }
    }

    fn copy(&self, folder: &str, package: &Path) -> Result<Copied, DiskError> {
        let manifest = self.manifest(package)?;
        let mut files = BTreeMap::new();
        self.files(package, package, &mut files, &mut BTreeSet::new())?;
        let mut programs = BTreeSet::new();
        for path in files.keys() {
            if self.disk.is_executable(&package.join(path))? {
                programs.insert(path.clone());
            }
        }
        let reason = self.reasons.get(package).cloned();
        Ok(Copied {
            name: manifest["name"].as_str().map_or_else(|| name_of(package), str::to_owned),
            version: manifest["version"].as_str().unwrap_or_default().to_owned(),
            folder: folder.to_owned(),
            reason: reason.unwrap_or_else(|| "another package that is copied needs it".to_owned()),
            files,
            programs,
        })
    }

    /// All files of a package. What leads out of it by a link is left out, and so are packages inside, which are found by
    /// those that need them.
    fn files(
        &self,
        package: &Path,
        folder: &Path,
        files: &mut BTreeMap<String, Bytes>,
        seen: &mut BTreeSet<PathBuf>,
    ) -> Result<(), DiskError> {
        let Some(real) = self.disk.canonical(folder)?.filter(|real| real.starts_with(package)) else { return Ok(()) };
        if !seen.insert(real) {
            return Ok(());
        }
        for entry in self.disk.list(folder)?.into_iter().filter(|entry| entry.utf8) {
            let path = folder.join(&entry.name);
            let inside = || -> Result<bool, DiskError> {
                let target = self.disk.canonical(&path)?;
                Ok(!entry.link || target.is_some_and(|target| target.starts_with(package)))
            };
            match entry.kind {
                Kind::Folder if entry.name != "node_modules" && entry.name != ".git" => {
                    self.files(package, &path, files, seen)?;
                }
                Kind::File(bytes) if bytes <= PUBLIC_BYTES_MAX && inside()? => {
                    files.insert(relative(package, &path), Arc::from(self.disk.read(&path)?));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Names of what a package depends on, those included that may be missing.
fn dependencies(manifest: &Value) -> BTreeSet<String> {
    let kinds = ["dependencies", "optionalDependencies", "peerDependencies"];
    let names = kinds.iter().filter_map(|kind| manifest[*kind].as_object()).flat_map(|named| named.keys().cloned());
    names.filter(|name| !name.is_empty() && !name.split('/').any(|part| part.is_empty() || part == "..")).collect()
}
