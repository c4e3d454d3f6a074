use serde_json::{Map, Value, json};
use ssbuild_script::Language;

use crate::project::{Entry, Format, Project, Role};

pub(super) const TYPESCRIPT: &str = "tsconfig.json";
pub(super) const JAVASCRIPT: &str = "jsconfig.json";

/// Name and text of the file that tells editors how the app's modules are found.
pub(super) fn file(project: &Project) -> (&'static str, String) {
    let typed = project
        .entries
        .iter()
        .any(|entry| entry.is_script() && matches!(entry.format, Format::Script(Language::TypeScript | Language::Tsx)));
    let options = json!({
        "target": "ES2022",
        "lib": ["ES2022", "DOM", "DOM.Iterable"],
        "module": "ESNext",
        "moduleResolution": "Bundler",
        // Each file's names are its own, also where it imports and exports nothing.
        "moduleDetection": "force",
        "isolatedModules": true,
        "resolveJsonModule": true,
        "jsx": "react-jsx",
        "allowJs": true,
        "checkJs": false,
        "strict": typed,
        "skipLibCheck": true,
        "noEmit": true,
        "paths": paths(project),
    });
    let config = json!({
        "compilerOptions": options,
        "include": ["app", "config", "lib/server", "test", "types", "vendor"],
        "exclude": ["**/node_modules", "**/_*", "**/*~"],
    });
    let mut text = serde_json::to_string_pretty(&config).expect("a configuration is JSON");
    text.push('\n');
    (if typed { TYPESCRIPT } else { JAVASCRIPT }, text)
}

/// `/shared/x` begins at `app/`, and server code finds its own modules by bare name.
fn paths(project: &Project) -> Value {
    let mut paths = Map::new();
    for tree in ["client", "server", "shared"] {
        paths.insert(format!("/{tree}/*"), json!([format!("./app/{tree}/*")]));
    }
    let vendored = project.of(Role::LibServer).filter(|entry| entry.path.starts_with("vendor/"));
    let vendored = vendored.map(|entry: &Entry| &entry.path[..entry.path.len() - entry.below_role().len() - 1]);
    let mut folders: Vec<&str> = std::iter::once("lib/server").chain(vendored).collect();
    folders.dedup();
    paths.insert("*".to_owned(), folders.iter().map(|folder| Value::from(format!("./{folder}/*"))).collect());
    Value::Object(paths)
}
