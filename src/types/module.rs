use std::{collections::BTreeMap, fmt::Write};

use serde::{Deserialize, Serialize};
use ssbuild_script::{AnswerStyle, CompiledModule, ExportForm, Language};

use super::{
    style_word,
    tree::{key, quoted},
};
use crate::{api_tree::alias, half::Half, project::Format};

/// Exports that are for hot swapping and not seen by others.
const HOT: [&str; 2] = ["hot", "dispose"];

/// One file, as its place in a tree is typed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Module {
    /// Whether its code is loaded by an `import()` only.
    pub(super) on_demand: bool,
    what: What,
}

#[derive(Debug, Serialize, Deserialize)]
enum What {
    /// TypeScript reads the file, which this import names.
    Typed { import: String, hides: bool },
    /// The file exports nothing, so that it may be no module to TypeScript.
    Empty,
    /// TypeScript cannot read it, or finds no exports in it: names without types.
    Named(Vec<String>),
    /// Actions of a file that TypeScript reads.
    Actions { import: String, styles: Styles },
    /// Actions of another file.
    UntypedActions(Styles),
}

/// Actions by name, as a tree.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Styles {
    below: BTreeMap<String, Self>,
    action: Option<Action>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Action {
    style: AnswerStyle,
    params: Vec<String>,
    rest: bool,
}

impl Module {
    /// A file of `app/client` or `app/shared`.
    pub(super) fn of_browser(file: &str, half: &Half) -> Self {
        let index = half.index(file);
        let on_demand = index
            .is_some_and(|at| half.linked.chunks.iter().any(|chunk| chunk.on_demand && chunk.modules.contains(&at)));
        let exports = index.map(|at| &half.graph.modules[at].compiled.exports);
        let names = || exports.iter().flat_map(|exports| exports.names.iter().map(|(name, _)| name.clone())).collect();
        let form = exports.map_or(ExportForm::None, |exports| exports.form);
        let what = match import(file, form) {
            _ if form == ExportForm::None => What::Empty,
            Some(import) => {
                let names: Vec<String> = names();
                What::Typed { import, hides: names.iter().any(|name| HOT.contains(&name.as_str())) }
            }
            None => What::Named(names()),
        };
        Self { on_demand, what }
    }

    /// A file of `app/server`.
    pub(super) fn of_server(file: &str, module: Option<&CompiledModule>) -> Self {
        let actions = module.and_then(|module| module.actions.as_deref()).unwrap_or_default();
        let mut styles = Styles::default();
        for action in actions {
            let place =
                action.path.iter().fold(&mut styles, |place, name| place.below.entry(name.clone()).or_default());
            place.action = Some(Action { style: action.style, params: action.params.clone(), rest: action.rest });
        }
        let form = module.map_or(ExportForm::None, |module| module.exports.form);
        let what = match import(file, form) {
            Some(import) if !actions.is_empty() => What::Actions { import, styles },
            _ => What::UntypedActions(styles),
        };
        Self { on_demand: false, what }
    }

    /// Writes the type.
    pub(super) fn write(&self, text: &mut String) {
        match &self.what {
            What::Typed { import, hides: false } => text.push_str(import),
            What::Typed { import, hides: true } => {
                write!(text, "PublicOf<{import}>").expect("writing to a string works");
            }
            What::Empty => text.push_str("{}"),
            What::Named(names) => {
                let names = names.iter().filter(|name| !HOT.contains(&name.as_str()));
                let members: Vec<String> = names.map(|name| format!("{}: any", key(name))).collect();
                text.push_str(&braced(&members));
            }
            What::Actions { import, styles } => {
                let calls = format!("ActionsOf<{import}, {}>", styles.table());
                text.push_str(&calls);
                let aliases: Vec<String> =
                    styles.aliases().map(|(alias, name)| format!("readonly {alias}: ({calls})[{name}]")).collect();
                if !aliases.is_empty() {
                    write!(text, " & {}", braced(&aliases)).expect("writing to a string works");
                }
            }
            What::UntypedActions(styles) => text.push_str(&styles.untyped()),
        }
    }
}

impl Styles {
    /// `{ square: 'callback'; admin: { reset: 'value' } }`
    fn table(&self) -> String {
        if let Some(action) = &self.action {
            return format!("'{}'", style_word(action.style));
        }
        let members: Vec<String> =
            self.below.iter().map(|(name, styles)| format!("{}: {}", key(name), styles.table())).collect();
        braced(&members)
    }

    /// `{ square: Call<[number?: any], any> }`
    fn untyped(&self) -> String {
        if let Some(action) = &self.action {
            return format!("Call<[{}], any>", action.labels());
        }
        let own = self.below.iter().map(|(name, styles)| (key(name), styles.untyped()));
        let aliases = self.below.iter().filter_map(|(name, styles)| Some((self.free_alias(name)?, styles.untyped())));
        let members: Vec<String> = own.chain(aliases).map(|(key, calls)| format!("readonly {key}: {calls}")).collect();
        braced(&members)
    }

    /// Alias, as a key, and name, as a literal.
    fn aliases(&self) -> impl Iterator<Item = (String, String)> {
        self.below.keys().filter_map(|name| Some((self.free_alias(name)?, quoted(name))))
    }

    fn free_alias(&self, name: &str) -> Option<String> {
        alias(name).filter(|alias| !self.below.contains_key(alias)).map(|alias| key(&alias))
    }
}

impl Action {
    /// Parameters as a tuple's labelled members.
    fn labels(&self) -> String {
        let last = self.params.len().saturating_sub(1);
        let labels = self.params.iter().enumerate().map(|(n, name)| {
            let name = if super::tree::is_identifier(name) { name.clone() } else { format!("arg{}", n + 1) };
            if self.rest && n == last { format!("...{name}: any[]") } else { format!("{name}?: any") }
        });
        labels.collect::<Vec<_>>().join(", ")
    }
}

fn braced(members: &[String]) -> String {
    if members.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", members.join("; ")) }
}

/// How TypeScript imports a file: `.js` stands for `.ts`, `.tsx` and `.jsx` as well, wherever modules are resolved.
fn import(file: &str, form: ExportForm) -> Option<String> {
    let Format::Script(language) = Format::of(file) else { return None };
    // In TypeScript's own files `exports` is a variable like any other.
    let typed = matches!(language, Language::TypeScript | Language::Tsx);
    if typed && form == ExportForm::CommonJs {
        return None;
    }
    let (stem, ending) = file.rsplit_once('.')?;
    let ending = match ending {
        "mjs" | "mts" => "mjs",
        "cjs" | "cts" => "cjs",
        _ => "js",
    };
    Some(format!("typeof import({})", quoted(&format!("../{stem}.{ending}"))))
}
