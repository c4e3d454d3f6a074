//! The app's folder as a list of entries: walked, classified, sorted.

use std::path::{Path, PathBuf};

use ssbuild_diagnostic::{Code, Diagnostic, Place};
use ssbuild_script::Language;
use ssbuild_server::manifest::Hook;

use crate::{
    check::unused,
    disk::{self, Disk, DiskError, Kind},
    order,
};

/// An app's folder, as the compiler sees it.
#[derive(Debug)]
pub struct Project {
    /// The folder, absolute, every link resolved.
    pub root: PathBuf,
    /// Its files, sorted by role, then in natural order.
    pub entries: Vec<Entry>,
}

/// A source file of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path below the app's folder, with `/`.
    pub path: String,
    /// What the folder it lies in makes of it.
    pub role: Role,
    /// What its ending says it is written in.
    pub format: Format,
    /// How large it is, in bytes.
    pub bytes: u64,
}

/// What a file is for, by the folder it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// `app/shared`: both sides.
    Shared,
    /// `app/client`: the browser.
    Client,
    /// `app/server`: actions.
    Server,
    /// `app/css`.
    Css,
    /// `app/views`: pages and, in its folders, templates.
    View,
    /// `lib/client`: third-party scripts, as they are.
    LibClient,
    /// `lib/css`.
    LibCss,
    /// `lib/server` and `vendor/*/lib`: found by bare name from server code.
    LibServer,
    /// `public`.
    Public,
    /// `config`.
    Config,
}

/// What a file is written in, by its ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A script or JSON.
    Script(Language),
    /// `.scss`.
    Scss,
    /// `.sass`.
    Sass,
    /// `.css`.
    Css,
    /// `.html`.
    Html,
    /// `.jinja`, `.html.jinja`, `.j2`.
    Jinja,
    /// `.toml`.
    Toml,
    /// `.coffee`, and `.litcoffee` and `.coffee.md`, which are literate.
    Coffee,
    /// `.styl`.
    Stylus,
    /// `.pug`, `.jade`.
    Pug,
    /// Anything else.
    Other,
}

/// Folders that are walked, and what their files are.
const ROLES: &[(&str, Role)] = &[
    ("app/shared", Role::Shared),
    ("app/client", Role::Client),
    ("app/server", Role::Server),
    ("app/css", Role::Css),
    ("app/views", Role::View),
    ("lib/client", Role::LibClient),
    ("lib/css", Role::LibCss),
    ("lib/server", Role::LibServer),
    ("public", Role::Public),
    ("config", Role::Config),
];

/// Folders whose files never reach a browser.
const PRIVATE: &[&str] = &["app/server", "lib/server", "vendor", "config"];

/// A byte order mark is no part of a source's text.
pub(crate) fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Largest source that is compiled, in bytes: places count in 32 bits, and a script is held several times over.
pub const SOURCE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Largest file that is only copied, in bytes: it is held in memory to be hashed.
pub const PUBLIC_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Deepest folder that is walked.
const FOLDER_DEPTH_MAX: usize = 64;

impl Project {
    /// Walks the app's folder. What is wrong with single files is among the findings; they are left out.
    pub fn scan(disk: &dyn Disk, root: &Path) -> Result<(Self, Vec<Diagnostic>), DiskError> {
        let root = disk.canonical(root)?.unwrap_or_else(|| root.to_path_buf());
        let mut walk = Walk { disk, root: &root, entries: Vec::new(), found: Vec::new() };
        for &(folder, role) in ROLES {
            walk.top_folder(folder, role)?;
        }
        for folder in disk.list(&root.join("app"))? {
            if folder.kind == Kind::Folder && !is_ignored(&folder.name) {
                walk.found.extend(unused::folder(&folder.name));
            }
        }
        for vendor in disk.list(&root.join("vendor"))? {
            if vendor.kind == Kind::Folder && vendor.utf8 && !is_ignored(&vendor.name) {
                walk.top_folder(&format!("vendor/{}/lib", vendor.name), Role::LibServer)?;
            }
        }
        let (mut entries, found) = (walk.entries, walk.found);
        entries.sort_by(|a, b| a.role.cmp(&b.role).then_with(|| order::natural(&a.path, &b.path)));
        Ok((Self { root, entries }, found))
    }

    /// Names of the app's pages: `app`, then every other view at the top of `app/views` that has an entry of its name.
    pub fn pages(&self) -> Vec<&str> {
        let entries = self.scripts(Role::Client);
        let has_entry = |name: &str| entries.iter().any(|entry| entry.tree_path() == name);
        let views = self.of(Role::View).filter(|view| view.is_page_view()).map(Entry::tree_path);
        let mut pages: Vec<&str> = views.filter(|name| *name == "app" || has_entry(name)).collect();
        pages.sort_by(|a, b| order::tree(a, b));
        pages.dedup();
        pages
    }

    /// Whether a folder is the app's own, or one of those that are walked: a build must not be written there.
    pub fn is_source(root: &Path, folder: &Path) -> bool {
        let below = folder.strip_prefix(root).ok().map(|below| below.components().next());
        below.is_some_and(|top| {
            top.is_none_or(|top| {
                ["app", "lib", "vendor", "public", "config"].iter().any(|name| top.as_os_str() == *name)
            })
        })
    }

    /// Files of one role, in natural order.
    pub fn of(&self, role: Role) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.role == role)
    }

    /// The script entries of one role, in the order of its tree: `app` first.
    pub fn scripts(&self, role: Role) -> Vec<&Entry> {
        let mut scripts: Vec<_> = self.of(role).filter(|entry| entry.is_script()).collect();
        scripts.sort_by(|a, b| order::tree(a.tree_path(), b.tree_path()));
        scripts
    }

    /// Scripts of `config` that run in the engine: `config/db.*`, `config/events.*`, `config/http.*`.
    pub fn hooks(&self) -> Vec<(Hook, &Entry)> {
        let named = [(Hook::Db, "db"), (Hook::Events, "events"), (Hook::Http, "http")];
        let find = |(hook, name)| {
            let mut scripts = self.of(Role::Config).filter(|entry| entry.is_script());
            Some((hook, scripts.find(|entry| entry.tree_path() == name)?))
        };
        named.into_iter().filter_map(find).collect()
    }

    /// Findings about what the app lacks.
    pub fn check(&self) -> Vec<Diagnostic> {
        let has = |role, path: &str| self.of(role).any(|e| e.tree_path() == path && e.format != Format::Other);
        let mut found = Vec::new();
        if !has(Role::Client, "app") {
            found.push(
                Diagnostic::new(Code::EntryMissing, "the app has no `app/client/app.*`")
                    .at(Place::file("app/client"), "a script named `app` belongs here")
                    .help("Create `app/client/app.js`; its `init` export runs once the socket is ready."),
            );
        }
        if !has(Role::View, "app") {
            found.push(
                Diagnostic::new(Code::EntryMissing, "the app has no page, `app/views/app.*`")
                    .at(Place::file("app/views"), "a view named `app` belongs here")
                    .help("Create `app/views/app.html` with `<SocketStream>` in its head."),
            );
        }
        if self.pages().contains(&"lib") {
            found.push(
                Diagnostic::new(Code::NameReserved, "a page cannot be called `lib`: the bundle of libraries is")
                    .at(Place::file("app/views"), "")
                    .help("Choose another name for the view and its entry."),
            );
        }
        found
    }
}

impl Role {
    /// Whether files of this role end up in a browser, whole or compiled.
    pub fn reaches_browser(self) -> bool {
        !matches!(self, Self::Server | Self::LibServer | Self::Config)
    }
}

impl Entry {
    /// Whether it becomes a node of its tree. JSON and type declarations can be imported but are no nodes.
    pub fn is_script(&self) -> bool {
        self.format.language().is_some_and(|language| language != Language::Json) && !is_declaration(&self.path)
    }

    /// Whether it is a view that can be a page: those in folders are templates.
    pub fn is_page_view(&self) -> bool {
        self.role == Role::View
            && matches!(self.format, Format::Html | Format::Jinja | Format::Pug)
            && !self.below_role().contains('/')
    }

    /// The path below its role's folder.
    pub fn below_role(&self) -> &str {
        let folder = match self.role {
            Role::Public => "public",
            Role::Config => "config",
            Role::LibServer if self.path.starts_with("vendor/") => {
                let lib = self.path.match_indices('/').nth(2).map_or(0, |(at, _)| at + 1);
                return &self.path[lib..];
            }
            role => ROLES.iter().find(|(_, r)| *r == role).expect("every role has a folder").0,
        };
        &self.path[folder.len() + 1..]
    }

    /// The path in its tree: below its role's folder, less the last ending (`.html.jinja` counts as one).
    pub fn tree_path(&self) -> &str {
        let below = self.below_role();
        let below = match self.format {
            Format::Jinja => {
                below.strip_suffix(".html.jinja").or_else(|| below.strip_suffix(".html.j2")).unwrap_or(below)
            }
            // What is left ends with `.coffee`, which goes as well.
            Format::Coffee => below.strip_suffix(".md").unwrap_or(below),
            _ => below,
        };
        let name_at = below.rfind('/').map_or(0, |at| at + 1);
        below[name_at..].rfind('.').map_or(below, |dot| &below[..name_at + dot])
    }
}

impl Format {
    /// The language of a script or of JSON; of CoffeeScript, the one that it becomes.
    pub fn language(self) -> Option<Language> {
        match self {
            Self::Script(language) => Some(language),
            Self::Coffee => Some(Language::JavaScript),
            _ => None,
        }
    }

    /// Whether it is a stylesheet.
    pub fn is_sheet(self) -> bool {
        matches!(self, Self::Css | Self::Scss | Self::Sass | Self::Stylus)
    }

    /// By a file's name.
    pub fn of(name: &str) -> Self {
        match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "js" | "mjs" | "cjs" => Self::Script(Language::JavaScript),
            "jsx" => Self::Script(Language::Jsx),
            "ts" | "mts" | "cts" => Self::Script(Language::TypeScript),
            "tsx" => Self::Script(Language::Tsx),
            "json" => Self::Script(Language::Json),
            "scss" => Self::Scss,
            "sass" => Self::Sass,
            "css" => Self::Css,
            "html" => Self::Html,
            "jinja" | "j2" => Self::Jinja,
            "toml" => Self::Toml,
            "coffee" | "litcoffee" => Self::Coffee,
            "md" if name.ends_with(".coffee.md") => Self::Coffee,
            "styl" => Self::Stylus,
            "pug" | "jade" => Self::Pug,
            _ => Self::Other,
        }
    }
}

/// Whether a name is ignored wherever it stands.
pub fn is_ignored(name: &str) -> bool {
    name.starts_with(['_', '.']) || name.ends_with('~')
}

fn is_declaration(path: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| path.ends_with(ending))
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    root: &'a Path,
    entries: Vec<Entry>,
    found: Vec<Diagnostic>,
}

impl Walk<'_> {
    /// A folder of the app's layout, which may itself be a link, or lie in one.
    fn top_folder(&mut self, folder: &str, role: Role) -> Result<(), DiskError> {
        match self.disk.canonical(&self.root.join(folder))? {
            Some(target) if target == self.root.join(folder) => self.folder(folder, role, 0),
            Some(_) if self.link_is_sound(folder, role)? => self.folder(folder, role, 0),
            _ => Ok(()),
        }
    }

    fn folder(&mut self, folder: &str, role: Role, depth: usize) -> Result<(), DiskError> {
        if depth > FOLDER_DEPTH_MAX {
            self.found.push(
                Diagnostic::new(
                    Code::FileUnreadable,
                    format!("`{folder}` lies more than {FOLDER_DEPTH_MAX} folders deep"),
                )
                .at(Place::file(folder), ""),
            );
            return Ok(());
        }
        for name in self.disk.list(&self.root.join(folder))? {
            let path = format!("{folder}/{}", name.name);
            if is_ignored(&name.name) {
                continue;
            }
            if let Some(problem) = name_problem(&name) {
                let found =
                    Diagnostic::new(Code::NameInvalid, format!("the name of `{}` {problem}", path.escape_debug()));
                self.found.push(found.at(Place::file(&path), "").help("Rename it."));
                continue;
            }
            if name.link && !self.link_is_sound(&path, role)? {
                continue;
            }
            match name.kind {
                Kind::Folder => self.folder(&path, role, depth + 1)?,
                Kind::File(bytes) => self.file(path, role, bytes),
                Kind::Other => self.found.push(
                    Diagnostic::new(Code::FileUnreadable, format!("`{path}` is not a regular file")).at(
                        Place::file(&path),
                        if name.link { "a link that leads nowhere" } else { "a pipe, a socket or a device" },
                    ),
                ),
            }
        }
        Ok(())
    }

    fn file(&mut self, path: String, role: Role, bytes: u64) {
        let limit_bytes = if role == Role::Public { PUBLIC_BYTES_MAX } else { SOURCE_BYTES_MAX };
        if bytes > limit_bytes {
            let message = format!("`{path}` has {bytes} bytes; at most {limit_bytes} are read");
            self.found.push(Diagnostic::new(Code::FileUnreadable, message).at(Place::file(&path), ""));
            return;
        }
        self.entries.push(Entry { format: Format::of(&path), path, role, bytes });
    }

    /// Whether a link stays in the app's folder, does not lead back to a folder that holds it, and does not bring
    /// server code or configuration where a browser can get it.
    fn link_is_sound(&mut self, path: &str, role: Role) -> Result<bool, DiskError> {
        let link = self.root.join(path);
        // Broken links and loops of links have no target; the caller sees that they are no file.
        let Ok(Some(target)) = self.disk.canonical(&link) else { return Ok(true) };
        let holder = link.parent().map(|parent| self.disk.canonical(parent)).transpose()?.flatten();
        if !target.starts_with(self.root) {
            self.found.push(
                Diagnostic::new(Code::UrlEscapes, format!("`{path}` is a link that leaves the app's folder"))
                    .at(Place::file(path), "")
                    .help("Copy what it points to into the app, or import it by its own path."),
            );
            return Ok(false);
        }
        let private = PRIVATE.iter().find(|folder| target.starts_with(self.root.join(folder)));
        if let (Some(folder), true) = (private, role.reaches_browser()) {
            self.found.push(
                Diagnostic::new(
                    Code::UrlEscapes,
                    format!("`{path}` is a link into `{folder}`, which must not reach a browser"),
                )
                .at(Place::file(path), ""),
            );
            return Ok(false);
        }
        if holder.is_some_and(|holder| holder.starts_with(&target)) {
            self.found.push(
                Diagnostic::new(Code::FileUnreadable, format!("`{path}` is a link to a folder that holds it"))
                    .at(Place::file(path), "a walk through it would not end"),
            );
            return Ok(false);
        }
        Ok(true)
    }
}

fn name_problem(name: &disk::Entry) -> Option<&'static str> {
    if !name.utf8 {
        Some("is not UTF-8")
    } else if name.name.contains(|c: char| c.is_control()) {
        Some("holds a control character")
    } else if name.name.contains(['\\', '\u{2028}', '\u{2029}']) {
        Some("holds a character that cannot stand in a path")
    } else {
        None
    }
}
