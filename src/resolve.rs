//! Which file an import names.

mod disk_view;
mod names;
mod side_effects;
mod twins;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use oxc_resolver::{
    ResolveError, ResolveOptions, ResolverGeneric, TsconfigDiscovery, TsconfigOptions, TsconfigReferences,
};
use rustc_hash::FxHashMap;
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{ImportKind, TypeScript};

use crate::{disk::Disk, tsconfig};
use disk_view::DiskView;
use names::Names;
use twins::Twins;

/// On which side the importing code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// In a browser.
    Client,
    /// Behind the server.
    Server,
}

/// What an import comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file, its path absolute with every link resolved.
    File(PathBuf),
    /// A package says that there is nothing for browsers (`"browser": {"fs": false}`).
    Empty,
    /// A built-in of Node.js, by its bare name.
    Builtin(String),
    /// Nothing, and what the resolver says of it.
    Missing(String),
}

/// Finds files for imports, the same way on every thread.
pub struct Resolver {
    names: Arc<Names>,
    root: PathBuf,
    client: Pair,
    server: Pair,
    /// What the app's `tsconfig.json` decides about code.
    typescript: TypeScript,
    /// What is wrong with that file.
    problem: Option<Diagnostic>,
    /// Whether a file's package says that its evaluation has no effects.
    free: Mutex<HashMap<PathBuf, bool>>,
    twins: Twins,
}

/// `import` and `require` may get different files of one package.
struct Pair {
    import: Memo,
    require: Memo,
}

/// A resolver that remembers: the files of a folder mostly import the same ones.
struct Memo {
    resolver: ResolverGeneric<DiskView>,
    /// By folder and specifier.
    known: Mutex<FxHashMap<PathBuf, FxHashMap<String, Target>>>,
}

/// In the order in which they are tried for a name without an ending.
const EXTENSIONS: &[&str] =
    &[".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx", ".coffee", ".litcoffee", ".coffee.md", ".json"];

impl Resolver {
    /// A resolver for the app in `root`; `server_paths` are the folders that bare names are looked up in as well
    /// from server code, below the app.
    pub fn new(disk: &Arc<dyn Disk>, root: &Path, env: &str, server_paths: &[String]) -> Self {
        let node_env = if env == "development" { "development" } else { "production" };
        let strings = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let common = ResolveOptions {
            extensions: strings(EXTENSIONS),
            extension_alias: [
                (".js", &[".js", ".ts", ".tsx", ".jsx"] as &[&str]),
                (".jsx", &[".jsx", ".tsx"]),
                (".mjs", &[".mjs", ".mts"]),
                (".cjs", &[".cjs", ".cts"]),
            ]
            .map(|(ending, instead)| (ending.to_owned(), strings(instead)))
            .to_vec(),
            // Links are resolved here, through the file layer, and not inside the library.
            symlinks: false,
            node_path: false,
            ..ResolveOptions::default()
        };
        let client = ResolveOptions {
            alias_fields: vec![strings(&["browser"])],
            main_fields: strings(&["browser", "module", "main"]),
            ..common.clone()
        };
        // Own modules are found by bare name like packages, after them: as on NODE_PATH.
        let mut modules = vec!["node_modules".to_owned()];
        modules.extend(server_paths.iter().map(|path| root.join(path).to_string_lossy().into_owned()));
        let server =
            ResolveOptions { main_fields: strings(&["main", "module"]), builtin_modules: true, modules, ..common };

        let names = Arc::new(Names::new(disk, root));
        let view = || DiskView::new(Arc::clone(&names));
        let (mut typescript, mut problem, mut tsconfig) = (TypeScript::default(), None, None);
        if let Some(file) = tsconfig::find(&**disk, root) {
            let resolver = ResolverGeneric::new_with_file_system(view(), ResolveOptions::default());
            match resolver.resolve_tsconfig(&file) {
                Ok(config) => {
                    typescript = tsconfig::typescript(&config);
                    let references = TsconfigReferences::Disabled;
                    tsconfig = Some(TsconfigDiscovery::Manual(TsconfigOptions { config_file: file, references }));
                }
                Err(error) => problem = Some(tsconfig::unreadable(root, &file, &error)),
            }
        }
        let with = |options: &ResolveOptions, conditions: &[&str]| ResolveOptions {
            condition_names: strings(conditions),
            tsconfig: tsconfig.clone(),
            ..options.clone()
        };
        let pair = |options: &ResolveOptions, place: &str, required: &[&str]| {
            let import = ResolverGeneric::new_with_file_system(
                view(),
                with(options, &[place, "module", "import", node_env, "default"]),
            );
            let required = ResolveOptions { main_fields: strings(required), ..options.clone() };
            let require = with(&required, &[place, "module", "require", node_env, "default"]);
            let require = import.clone_with_options(require);
            Pair { import: Memo::new(import), require: Memo::new(require) }
        };
        Self {
            names: Arc::clone(&names),
            root: root.to_path_buf(),
            // What is written for `require` comes first for it: others would get a namespace where they want a function.
            client: pair(&client, "browser", &["browser", "main", "module"]),
            server: pair(&server, "node", &["main", "module"]),
            free: Mutex::new(HashMap::new()),
            twins: Twins::default(),
            typescript,
            problem,
        }
    }

    /// What `specifier` means in the file `from` (absolute), on that side.
    pub fn resolve(&self, from: &Path, specifier: &str, kind: ImportKind, side: Side) -> Target {
        let folder = from.parent().unwrap_or(&self.root);
        // `/shared/x` means `app/shared/x`; a real absolute path would make the build depend on the machine.
        if let Some(rooted) = specifier.strip_prefix('/') {
            let first = rooted.split('/').next().unwrap_or_default();
            if !["client", "shared", "server"].contains(&first) {
                return Target::Missing("a path that starts with `/` begins at `app/`".to_owned());
            }
            return self.look_up(&self.root.join("app"), &format!("./{rooted}"), kind, side);
        }
        self.look_up(folder, specifier, kind, side)
    }

    fn look_up(&self, folder: &Path, specifier: &str, kind: ImportKind, side: Side) -> Target {
        let pair = match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        };
        pair.memo(kind).get_or(folder, specifier, || self.ask(pair, folder, specifier, kind, side))
    }

    fn ask(&self, pair: &Pair, folder: &Path, specifier: &str, kind: ImportKind, side: Side) -> Target {
        match pair.memo(kind).resolver.resolve(folder, specifier) {
            Ok(resolution) => match self.real(resolution.path()) {
                Some(path) => {
                    if side == Side::Client && kind == ImportKind::Require && !specifier.starts_with('.') {
                        let imported = pair.import.resolver.resolve(folder, specifier).ok();
                        let imported = imported.filter(|imported| twins::are(imported, &resolution));
                        if let Some(twin) = imported.and_then(|imported| self.real(imported.path())) {
                            self.twins.saw(twin, &path);
                        }
                    }
                    let path = if side == Side::Client { self.twins.instead_of(path) } else { path };
                    let mut free = self.free.lock().expect("no holder of this lock panics");
                    free.entry(path.clone()).or_insert_with(|| side_effects::is_free(&resolution));
                    Target::File(path)
                }
                None => Target::Missing("the file is gone".to_owned()),
            },
            Err(ResolveError::Ignored(_)) => Target::Empty,
            Err(ResolveError::Builtin { resolved, .. }) => Target::Builtin(bare(&resolved)),
            Err(error) => match (side, self.server.import.resolver.resolve(folder, specifier)) {
                // A package of that name would have been found; so only Node has it.
                (Side::Client, Err(ResolveError::Builtin { resolved, .. })) => Target::Builtin(bare(&resolved)),
                _ => Target::Missing(self.said(&error)),
            },
        }
    }

    /// Gives one file of a package to `import` and `require` from now on, where both were used and `is_there` says that
    /// both files are in the build: a package must not be there twice, each with a state of its own. Whether there was any.
    pub fn join_twins(&self, is_there: impl Fn(&Path) -> bool) -> bool {
        let joined = self.twins.join(is_there);
        if joined {
            self.client.import.forget();
            self.client.require.forget();
        }
        joined
    }

    /// Whether a file is what `import` gets in the place of a package's other file.
    pub fn is_instead(&self, path: &Path) -> bool {
        self.twins.is_joined(path)
    }

    /// What the app's `tsconfig.json` decides about code.
    pub fn typescript(&self) -> &TypeScript {
        &self.typescript
    }

    /// What is wrong with that file, when it cannot be read.
    pub fn problem(&self) -> Option<&Diagnostic> {
        self.problem.as_ref()
    }

    /// Whether the package of a file that was resolved says that nobody notices when the file does not run.
    pub fn is_free(&self, file: &Path) -> bool {
        self.free.lock().expect("no holder of this lock panics").get(file).copied().unwrap_or(false)
    }

    /// The file behind a path, every link resolved.
    pub fn real(&self, path: &Path) -> Option<PathBuf> {
        self.names.real(path)
    }

    /// What went wrong, without this machine's folders.
    fn said(&self, error: &ResolveError) -> String {
        match error {
            ResolveError::NotFound(_) => "there is no such file or package".to_owned(),
            error => error.to_string().replace(&format!("{}/", self.root.display()), ""),
        }
    }
}

impl Pair {
    fn memo(&self, kind: ImportKind) -> &Memo {
        match kind {
            ImportKind::Require => &self.require,
            ImportKind::Static | ImportKind::Dynamic | ImportKind::Url | ImportKind::Worker => &self.import,
        }
    }
}

impl Memo {
    fn new(resolver: ResolverGeneric<DiskView>) -> Self {
        Self { resolver, known: Mutex::default() }
    }

    fn get_or(&self, folder: &Path, specifier: &str, ask: impl FnOnce() -> Target) -> Target {
        let known = || self.known.lock().expect("no holder of this lock panics");
        if let Some(target) = known().get(folder).and_then(|folder| folder.get(specifier)) {
            return target.clone();
        }
        // Two threads may ask at the same time: they get the same answer.
        let target = ask();
        known().entry(folder.to_owned()).or_default().insert(specifier.to_owned(), target.clone());
        target
    }

    fn forget(&self) {
        self.known.lock().expect("no holder of this lock panics").clear();
    }
}

fn bare(builtin: &str) -> String {
    builtin.strip_prefix("node:").unwrap_or(builtin).to_owned()
}
