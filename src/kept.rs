//! What the scripts of a build came to, for the next build: when only the insides of a module have changed, its code and map are
//! exchanged in the bundles that are there, and nothing else is looked at again.

mod interface;
mod patch;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::Diagnostic;
use ssbuild_script::{Language, Options};

use crate::{
    asset::sum,
    bundle::Script,
    graph::{Graph, Loader, Module},
    half::Half,
    pipeline::chunk_path,
    scripts::Scripts,
    style::StyleOutput,
};
use interface::Interface;
pub(crate) use patch::{Patched, Patching};

/// The scripts of a build that is there, without their texts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of all that the build saw.
    pub(crate) stamp: [u8; 16],
    scripts: Scripts,
    exchangeable: Exchangeable,
    /// Where the texts lie, in the order of [`Scripts::named`].
    files: Vec<(Lies, Option<Lies>)>,
}

/// What can be exchanged in scripts, and what else has to be known for it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exchangeable {
    found: Vec<Diagnostic>,
    sheets: Vec<Sheet>,
    /// Each page's stylesheets that its scripts import, by number.
    styles: BTreeMap<String, Vec<usize>>,
    members: Vec<Member>,
    options: Vec<Options>,
}

/// A stylesheet that scripts import.
#[derive(Debug, Serialize, Deserialize)]
struct Sheet {
    name: String,
    path: PathBuf,
    /// Of the module that it is to scripts.
    module: u128,
}

/// A file of the output folder, by its path there.
#[derive(Debug, Serialize, Deserialize)]
struct Lies {
    file: PathBuf,
    sum: u128,
}

/// A module in a bundle that can be exchanged.
#[derive(Debug, Serialize, Deserialize)]
struct Member {
    path: PathBuf,
    name: String,
    language: Language,
    /// The number of its options.
    options: usize,
    interface: Interface,
    /// Which script it is in, in the order of [`Scripts::named`], and which part of that it is.
    script: usize,
    part: usize,
}

/// A module of a half, and how it is compiled again if that can be done without the others.
pub(crate) struct Again {
    path: PathBuf,
    name: String,
    how: Option<(Language, Options, Interface)>,
}

impl Again {
    /// Looks at the modules of a half.
    pub(crate) fn all(loader: &Loader<'_>, graph: &Graph) -> Vec<Self> {
        let one = |module: &Module| {
            let interface = || Interface::of(module.zone, loader.side, &module.compiled);
            let how = loader.again(module).map(|(language, options)| (language, options, interface()));
            Self { path: module.path().to_owned(), name: module.name.clone(), how }
        };
        graph.modules.par_iter().with_min_len(MODULES_AT_A_TIME).map(one).collect()
    }
}

/// So many modules are looked at by one thread before another one takes over.
const MODULES_AT_A_TIME: usize = 32;

impl Exchangeable {
    /// What can be exchanged in these scripts; nothing when they hold what is known only while they are made.
    pub(crate) fn of(
        scripts: &Scripts,
        halves: [&Half; 2],
        [client, server]: [&[Again]; 2],
        found: &[Diagnostic],
    ) -> Option<Self> {
        // A file that is imported for what it is becomes one that is served, or a program.
        let files = halves.into_iter().flat_map(|half| &half.graph.modules).any(|module| !module.is_own());
        if !scripts.packages.is_empty() || !scripts.server_files.is_empty() || files {
            return None;
        }
        let named = scripts.named();
        // Where modules of each half may stand, by name; `lib` has modules of neither.
        let mut places: [FxHashMap<&str, Vec<(usize, usize)>>; 2] = Default::default();
        for (n, (which, script)) in named.iter().enumerate() {
            let half = usize::from(*which == Which::Server);
            for (part, at) in script.parts.iter().zip(0..) {
                places[half].entry(&part.name).or_default().push((n, at));
            }
        }
        let mut exchangeable = Self {
            found: found.to_vec(),
            sheets: Vec::new(),
            styles: BTreeMap::new(),
            members: Vec::new(),
            options: Vec::new(),
        };
        let mut fixed: FxHashSet<&Path> = FxHashSet::default();
        let mut numbers: FxHashMap<&Options, usize> = FxHashMap::default();
        for (half, modules) in [client, server].into_iter().enumerate() {
            for Again { path, name, how } in modules {
                let place = match places[half].get(name.as_str()).map(Vec::as_slice) {
                    Some([(script, part)]) if named[*script].0 != Which::Lib => Some((*script, *part)),
                    _ => None,
                };
                let (Some((language, options, interface)), Some((script, part))) = (how, place) else {
                    fixed.insert(path);
                    continue;
                };
                let next = numbers.len();
                let number = *numbers.entry(options).or_insert(next);
                let (language, interface) = (*language, interface.clone());
                let (path, name) = (path.clone(), name.clone());
                exchangeable.members.push(Member { path, name, language, options: number, interface, script, part });
            }
        }
        exchangeable.members.retain(|member| !fixed.contains(member.path.as_path()));
        let mut options: Vec<(usize, &Options)> = numbers.into_iter().map(|(options, n)| (n, options)).collect();
        options.sort_by_key(|(n, _)| *n);
        exchangeable.options = options.into_iter().map(|(_, options)| options.clone()).collect();
        exchangeable.keep_sheets(scripts, halves);
        Some(exchangeable)
    }

    fn keep_sheets(&mut self, scripts: &Scripts, halves: [&Half; 2]) {
        let modules = halves.into_iter().flat_map(|half| &half.graph.modules);
        let imported: Vec<(&Module, &Arc<StyleOutput>)> =
            modules.filter_map(|module| Some((module, module.style.as_ref()?))).collect();
        let sheet = |(module, _): &(&Module, &Arc<StyleOutput>)| Sheet {
            name: module.name.clone(),
            path: module.path().to_owned(),
            module: sum(module.text.as_bytes()),
        };
        self.sheets = imported.iter().map(sheet).collect();
        let number = |style| imported.iter().position(|(_, known)| Arc::ptr_eq(known, style));
        self.styles = scripts
            .styles
            .iter()
            .map(|(page, styles)| {
                let number = |style| number(style).expect("a page's stylesheets are those of its modules");
                (page.clone(), styles.iter().map(number).collect())
            })
            .collect();
    }
}

/// Which script of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    Lib,
    App,
    Page(String),
    Chunk(String),
    Server,
}

impl Which {
    /// Its path in the manifest, or below the build's folder.
    pub(crate) fn logical(&self) -> String {
        match self {
            Self::Lib => "lib.js".to_owned(),
            Self::App => "app.js".to_owned(),
            Self::Page(page) => format!("{page}.js"),
            Self::Chunk(id) => chunk_path(id),
            Self::Server => "server.js".to_owned(),
        }
    }
}

impl Scripts {
    /// All of them, each with what it is.
    pub(crate) fn named(&self) -> Vec<(Which, &Script)> {
        let pages = self.pages.iter().map(|(page, script)| (Which::Page(page.clone()), script));
        let chunks = self.chunks.iter().map(|(id, script)| (Which::Chunk(id.clone()), script));
        let first = [(Which::Lib, &self.lib), (Which::App, &self.app)];
        first.into_iter().chain(pages).chain(chunks).chain([(Which::Server, &self.server)]).collect()
    }

    /// The same, to be changed.
    fn all_mut(&mut self) -> Vec<&mut Script> {
        let first = [&mut self.lib, &mut self.app];
        first
            .into_iter()
            .chain(self.pages.values_mut())
            .chain(self.chunks.values_mut())
            .chain([&mut self.server])
            .collect()
    }
}

impl Kept {
    /// What is kept of scripts that were published; `lies` tells the path of each text in the output folder, and its checksum.
    pub(crate) fn of(
        scripts: Scripts,
        exchangeable: Exchangeable,
        lies: impl Fn(&Which, Text) -> Option<(PathBuf, u128)>,
    ) -> Option<Self> {
        let lies = |which: &Which, text| lies(which, text).map(|(file, sum)| Lies { file, sum });
        let files = scripts.named().into_iter().map(|(which, script)| {
            let map = match script.map_places {
                Some(_) => Some(lies(&which, Text::Map)?),
                None => None,
            };
            Some((lies(&which, Text::Code)?, map))
        });
        let files = files.collect::<Option<Vec<_>>>()?;
        Some(Self { stamp: [0; 16], scripts, exchangeable, files })
    }

    /// Of a build that saw this.
    pub(crate) fn stamped(self, stamp: [u8; 16]) -> Self {
        Self { stamp, ..self }
    }
}

/// A text of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Code,
    Map,
}
