//! What ES modules that Node.js knows as such get of CommonJS: `module.exports` as the default, whatever it is marked as.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde_json::Value;
use ssbuild_script::{ImportKind, Language, Shake, Source};

use super::{Dep, Graph, Loader, Module};
use crate::{
    disk::{DiskError, Kind},
    form::Form,
};

/// An object that shows `module.exports` as Node.js does: as the default, and its properties by name.
const SOURCE: &str = "\
var all = require('.');
var shown = {};
Object.defineProperty(shown, '__esModule', { value: true });
if (all !== null && (typeof all === 'object' || typeof all === 'function')) {
  Object.keys(all).forEach(function (name) {
    if (name !== '__esModule') Object.defineProperty(shown, name, { enumerable: true, configurable: true, get: function () { return all[name]; } });
  });
}
Object.defineProperty(shown, 'default', { enumerable: true, configurable: true, value: all });
module.exports = shown;
";

impl Loader<'_> {
    /// Puts such an object between a module and each CommonJS module that marks itself as an ES module.
    pub(super) fn see_as_node(&self, graph: &mut Graph) -> Result<(), DiskError> {
        let mut asking = Vec::new();
        let mut types = HashMap::new();
        for (at, module) in graph.modules.iter().enumerate().filter(|(_, module)| module.compiled.esm) {
            for (number, (import, dep)) in module.compiled.imports.iter().zip(&module.deps).enumerate() {
                let (Dep::Module(to), ImportKind::Static | ImportKind::Dynamic) = (dep, import.kind) else { continue };
                let target = &graph.modules[*to];
                if is_marked(target)
                    && !self.resolver.is_instead(&target.path)
                    && self.is_for_node(&module.path, &mut types)?
                {
                    asking.push((at, number, *to));
                }
            }
        }
        for (at, number, to) in asking {
            let seen = graph.at(self, graph.modules[to].path.clone(), Form::Node);
            graph.modules[at].deps[number] = Dep::Module(seen);
            let module = &graph.modules[seen];
            let options = self.options(module, Shake::No);
            let source = Source { path: &module.name, text: SOURCE, language: Language::JavaScript };
            let compiled = (self.compile)(source, &options);
            let module = &mut graph.modules[seen];
            (module.text, module.compiled, module.deps) = (Arc::from(SOURCE), compiled, vec![Dep::Module(to)]);
        }
        Ok(())
    }

    /// Whether Node.js takes a file for an ES module by its name and package alone.
    fn is_for_node(&self, path: &Path, types: &mut HashMap<PathBuf, bool>) -> Result<bool, DiskError> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("mjs" | "mts") => return Ok(true),
            Some("cjs" | "cts") => return Ok(false),
            _ => {}
        }
        let Some(folder) = path.parent() else { return Ok(false) };
        if let Some(known) = types.get(folder) {
            return Ok(*known);
        }
        let mut answer = false;
        for above in folder.ancestors() {
            let file = above.join("package.json");
            if matches!(self.disk.kind(&file)?, Some(Kind::File(_))) {
                let package: Value = serde_json::from_slice(&self.disk.read(&file)?).unwrap_or_default();
                answer = package["type"] == "module";
                break;
            }
            // Above the app nothing is said about its own files.
            if above == self.root {
                break;
            }
        }
        types.insert(folder.to_path_buf(), answer);
        Ok(answer)
    }
}

/// Whether a CommonJS module may mark itself with `__esModule`.
fn is_marked(module: &Module) -> bool {
    !module.compiled.esm && module.is_own() && module.text.contains("__esModule")
}
