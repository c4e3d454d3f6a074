//! Names that stand for values known when the app is built.

use std::collections::BTreeMap;

use crate::{
    config::{PUBLIC_PREFIX, Settings},
    resolve::Side,
};

/// Every name that is replaced in code of a side, and the JavaScript text of its value. The configuration's win.
pub(crate) fn of(settings: &Settings, side: Side) -> Vec<(String, String)> {
    let json = |value: &str| serde_json::Value::from(value).to_string();
    let develops = settings.env == "development";
    let mut defines: BTreeMap<String, String> = [
        ("process.env.NODE_ENV", json(if develops { "development" } else { "production" })),
        // What Vite tells code, which packages ask for as well.
        ("import.meta.env.MODE", json(&settings.env)),
        ("import.meta.env.DEV", develops.to_string()),
        ("import.meta.env.PROD", (!develops).to_string()),
        ("import.meta.env.SSR", (side == Side::Server).to_string()),
        // Vue's bundles for bundlers complain in the console unless somebody decides these; it names them as the defaults.
        ("__VUE_OPTIONS_API__", "true".to_owned()),
        ("__VUE_PROD_DEVTOOLS__", "false".to_owned()),
        ("__VUE_PROD_HYDRATION_MISMATCH_DETAILS__", "false".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, value) in settings.variables.iter() {
        defines.extend(["process.env", "import.meta.env"].map(|from| (format!("{from}.{name}"), json(value))));
    }
    for (name, value) in &settings.config.build.define {
        let value = serde_json::to_string(value).expect("a literal is JSON");
        defines.insert(name.clone(), value);
    }
    // Public variables that are not set; after those that are.
    let unset =
        ["process.env", "import.meta.env"].map(|from| (format!("{from}.{PUBLIC_PREFIX}*"), "undefined".to_owned()));
    defines.into_iter().chain(unset).collect()
}
