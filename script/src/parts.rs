use serde::{Deserialize, Serialize};

/// The parts of an ES module that can be left out one by one, and what each needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// Each statement, or declared variable, of the top level.
    pub parts: Vec<Part>,
    /// What stands behind each exported name.
    pub exports: Vec<(String, Export)>,
    /// What is imported from, as written.
    pub specifiers: Vec<String>,
    /// `export * from`: which specifiers.
    pub stars: Vec<u32>,
}

/// One part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Whether it does something when it is evaluated, so that it stays whoever needs it.
    pub effect: bool,
    /// Other parts that it mentions.
    pub needs: Vec<u32>,
    /// What it mentions of other modules: specifier, and name; no name stands for all of them.
    pub imports: Vec<(u32, Option<String>)>,
}

/// What stands behind an exported name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Export {
    /// Something that these parts declare.
    Parts(Vec<u32>),
    /// A name of another module, or all of them.
    From(u32, Option<String>),
}

/// What of a module is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Keep {
    /// Exported names that somebody uses, sorted.
    pub names: Vec<String>,
    /// Specifiers whose `export *` gives somebody something, sorted.
    pub stars: Vec<String>,
}

/// What is to be done with the parts of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shake {
    /// The module is taken whole.
    #[default]
    No,
    /// It is taken without its exports of these names, and without what only they need.
    Without(Vec<String>),
    /// Its parts are told, and all of them are kept.
    Tell,
    /// What is not needed is left out.
    Keep(Keep),
}

impl Parts {
    /// Which parts are there when only these names are used.
    pub fn live(&self, keep: &Keep) -> Vec<bool> {
        let mut live = vec![false; self.parts.len()];
        let used = self.exports.iter().filter(|(name, _)| keep.names.binary_search(name).is_ok());
        let named = used.flat_map(|(_, export)| match export {
            Export::Parts(parts) => parts.as_slice(),
            Export::From(..) => &[],
        });
        let effects = self.parts.iter().enumerate().filter(|(_, part)| part.effect).map(|(at, _)| at as u32);
        let mut stack: Vec<u32> = effects.chain(named.copied()).collect();
        while let Some(at) = stack.pop() {
            if !std::mem::replace(&mut live[at as usize], true) {
                stack.extend(&self.parts[at as usize].needs);
            }
        }
        live
    }
}
