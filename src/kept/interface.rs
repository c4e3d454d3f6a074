//! What others see of a module: while it stays the same, they need not be looked at again.

use serde::{Deserialize, Serialize};
use ssbuild_diagnostic::Place;
use ssbuild_script::{ActionMeta, CompiledModule, Import};

use crate::{asset::sum, resolve::Side, zone::Zone};

/// What others see of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Interface {
    /// Of all that must stay.
    sum: u128,
    /// What it exports, where others only ask whether a name is there; sorted.
    names: Vec<String>,
}

impl Interface {
    pub(super) fn of<'a>(zone: Zone, side: Side, compiled: &'a CompiledModule) -> Self {
        let CompiledModule {
            // What changes.
            code: _,
            map: _,
            esm,
            imports,
            exports,
            references,
            members,
            variables,
            evals,
            awaits,
            wasm,
            blob_worker,
            globals,
            actions,
            // A module that has some of these is not exchanged.
            parts: _,
            joint: _,
            diagnostics: _,
        } = compiled;
        let mut names: Vec<&str> = exports.names.iter().map(|(name, _)| name.as_str()).collect();
        // All names of a tree are told, in their order.
        let told = if zone.is_tree() { std::mem::take(&mut names) } else { Vec::new() };
        let import = |import: &'a Import| {
            let Import { specifier, kind, names, doubtful, need, place: _ } = import;
            (specifier, kind, names, doubtful, need)
        };
        let imported: Vec<_> = imports.iter().map(import).collect();
        let referred: Vec<_> = references.iter().map(|r| (r.tree, &r.path, r.dynamic, r.called, r.top_level)).collect();
        let mentioned: Vec<_> = members.iter().map(|member| &member.path).collect();
        let read: Vec<_> = variables.iter().map(|variable| &variable.name).collect();
        let seen = (esm, imported, (exports.form, exports.open, &exports.stars, told), referred, mentioned, read);
        let at = |place: &Place| (place.line, place.column);
        let action = |action: &'a ActionMeta| {
            let ActionMeta { path, params, rest, style, guard, place: _ } = action;
            (path, params, rest, style, guard)
        };
        // Where server code asks the host for something is told in the build.
        let server = (side == Side::Server).then(|| {
            let imports: Vec<_> = imports.iter().map(|import| at(&import.place)).collect();
            let globals: Vec<_> = globals.iter().map(|global| (&global.name, at(&global.place))).collect();
            (imports, globals, actions.as_ref().map(|actions| actions.iter().map(action).collect::<Vec<_>>()))
        });
        let does = (evals, awaits.is_some(), wasm.is_some(), blob_worker.is_some());
        let bytes = postcard::to_stdvec(&(seen, does, server)).expect("what is seen of a module is plain data");
        names.sort_unstable();
        Self { sum: sum(&bytes), names: names.into_iter().map(str::to_owned).collect() }
    }

    /// Whether others see no difference in `next`. That it exports more is seen by nobody who asks for names.
    pub(super) fn allows(&self, next: &Self) -> bool {
        self.sum == next.sum && self.names.iter().all(|name| next.names.binary_search(name).is_ok())
    }
}
