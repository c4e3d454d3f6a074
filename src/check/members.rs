//! Members of `SS` beside the trees: what a side has, and which templates there are.

use ssbuild_diagnostic::{Code, Diagnostic};
use ssbuild_script::Member;

use crate::{nearest::did_you_mean, zone::Zone};

/// What a browser's `SS` has.
const CLIENT: &[&str] =
    &["client", "config", "env", "events", "server", "shared", "socket", "started", "templates", "with"];
/// What the server's `SS` has.
const SERVER: &[&str] = &["config", "env", "log", "publish", "server", "shared", "users", "version"];

/// What is wrong with a mention of a member in a module of that zone.
pub fn check(member: &Member, zone: Zone, templates: &[String]) -> Option<Diagnostic> {
    let (name, below) = member.path.split_first().expect("a member has a name");
    if name == "templates" && !zone.is_private() {
        return template(member, below.first()?, templates);
    }
    let on_client = !zone.is_private();
    let on_server = zone != Zone::Client;
    let (in_browsers, on_servers) = (CLIENT.contains(&name.as_str()), SERVER.contains(&name.as_str()));
    // Code of both sides may ask first where it is.
    if (on_client && in_browsers) || (on_server && on_servers) {
        return None;
    }
    let help = match (in_browsers, on_servers) {
        (false, false) => {
            let known = CLIENT.iter().filter(|_| on_client).chain(SERVER.iter().filter(|_| on_server)).copied();
            // An app may keep things of its own there.
            did_you_mean(name, known)?.replace("Did you mean `", "Did you mean `SS.")
        }
        (true, _) => "It exists in browsers only.".to_owned(),
        (false, true) => "It exists on the server only.".to_owned(),
    };
    let found = Diagnostic::new(Code::UnknownPath, format!("there is no `SS.{name}` here"));
    Some(found.at(member.place.clone(), "").help(help))
}

fn template(member: &Member, id: &str, templates: &[String]) -> Option<Diagnostic> {
    if templates.iter().any(|known| known == id) {
        return None;
    }
    let found = Diagnostic::new(Code::UnknownPath, format!("there is no template `{id}`")).at(member.place.clone(), "");
    let help = did_you_mean(id, templates.iter().map(String::as_str)).unwrap_or_else(|| match templates.len() {
        0 => "Templates are the files in folders of `app/views`; there are none.".to_owned(),
        _ => format!("There are: {}.", templates.iter().take(8).map(String::as_str).collect::<Vec<_>>().join(", ")),
    });
    Some(found.help(help))
}
