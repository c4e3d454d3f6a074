//! Variables of the environment in code that reaches browsers.

use ssbuild_diagnostic::{Code, Diagnostic};

use crate::{config::PUBLIC_PREFIX, graph::Graph, zone::Zone};

/// A finding for each variable that browser code reads and that is not public, with the way on which the code gets there.
/// Packages are left alone: theirs ask first whether there is an environment.
pub fn check(client: &Graph) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (at, module) in client.modules.iter().enumerate() {
        if module.zone.is_private() || module.zone == Zone::Package {
            continue;
        }
        for variable in &module.compiled.variables {
            let name = &variable.name;
            let is_known = name.starts_with(PUBLIC_PREFIX) || name == "NODE_ENV";
            let message = match is_known {
                true => format!("browser code takes `{name}` out of the environment"),
                false => format!("browser code reads the variable `{name}` of the environment, which is not public"),
            };
            let private = Diagnostic::new(Code::EnvPrivate, message);
            let mut diagnostic = private.at(variable.place.clone(), "there is no environment in a browser");
            diagnostic = match is_known {
                true => diagnostic.help(format!("Write `process.env.{name}` in full: that is replaced by its value.")),
                false => diagnostic
                    .help("Variables whose name begins with `SS_PUBLIC_` are written into the code by the build.")
                    .help("`client` of the configuration reaches the browser as `SS.config`."),
            };
            diagnostic.labels.extend(client.chain(at));
            found.push(diagnostic);
        }
    }
    found
}
