//! The JavaScript that every carrier runs before the app's: it makes `SS`, `this` and `session` out of messages.

/// Name and text of a file. Each is a function of one object that they share and that the app never sees.
pub(crate) type File = (&'static str, &'static str);

/// What every carrier runs, in the order in which they are evaluated.
const EVERYWHERE: &[File] = &[
    ("ss:prelude/primordials.js", include_str!("prelude/primordials.js")),
    ("ss:prelude/errors.js", include_str!("prelude/errors.js")),
    ("ss:prelude/json.js", include_str!("prelude/json.js")),
    ("ss:prelude/host.js", include_str!("prelude/host.js")),
    ("ss:prelude/inspect.js", include_str!("prelude/inspect.js")),
    ("ss:prelude/loader.js", include_str!("prelude/loader.js")),
    ("ss:prelude/context.js", include_str!("prelude/context.js")),
    ("ss:prelude/session.js", include_str!("prelude/session.js")),
    ("ss:prelude/events.js", include_str!("prelude/events.js")),
    ("ss:prelude/startup.js", include_str!("prelude/startup.js")),
    ("ss:prelude/actions.js", include_str!("prelude/actions.js")),
    ("ss:prelude/tree.js", include_str!("prelude/tree.js")),
    ("ss:prelude/publish.js", include_str!("prelude/publish.js")),
    ("ss:prelude/users.js", include_str!("prelude/users.js")),
    ("ss:prelude/ss.js", include_str!("prelude/ss.js")),
    ("ss:prelude/redis.js", include_str!("prelude/redis.js")),
    ("ss:prelude/console.js", include_str!("prelude/console.js")),
];

/// The globals of the web, where there is only the language.
const WEB: &[File] = &[
    ("ss:prelude/globals.js", include_str!("prelude/globals.js")),
    ("ss:prelude/web/event.js", include_str!("prelude/web/event.js")),
    ("ss:prelude/web/text.js", include_str!("prelude/web/text.js")),
    ("ss:prelude/web/url.js", include_str!("prelude/web/url.js")),
    ("ss:prelude/web/clone.js", include_str!("prelude/web/clone.js")),
    ("ss:prelude/web/fetch.js", include_str!("prelude/web/fetch.js")),
    ("ss:prelude/middleware.js", include_str!("prelude/middleware.js")),
    ("ss:prelude/web/crypto.js", include_str!("prelude/web/crypto.js")),
];

/// The door, when all else is there.
const ENTRY: File = ("ss:prelude/entry.js", include_str!("prelude/entry.js"));

/// The files that a bundle's modules need to be loaded, and no more.
pub(crate) fn loading() -> impl Iterator<Item = File> {
    const NEEDED: [&str; 2] = ["ss:prelude/primordials.js", "ss:prelude/loader.js"];
    EVERYWHERE.iter().filter(|(name, _)| NEEDED.contains(name)).copied()
}

/// The files for the tests of an app, in the order in which they are evaluated.
pub(crate) fn testing() -> impl Iterator<Item = File> {
    only(&["primordials", "errors", "json", "host", "inspect", "loader"]).chain(WEB.iter().copied())
}

/// The files for a browser without a screen.
pub(crate) fn browser() -> impl Iterator<Item = File> {
    only(&["primordials", "errors", "json", "host", "inspect"]).chain(WEB.iter().copied())
}

fn only(names: &'static [&'static str]) -> impl Iterator<Item = File> {
    EVERYWHERE.iter().copied().filter(move |(name, _)| {
        names.iter().any(|wanted| name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(".js")) == Some(*wanted))
    })
}

/// The files for an engine that has only the language.
pub(super) fn embedded() -> impl Iterator<Item = File> {
    EVERYWHERE.iter().chain(WEB).copied().chain([ENTRY])
}

/// The files for Node.js, which has the globals of the web.
pub(super) fn node() -> impl Iterator<Item = File> {
    EVERYWHERE.iter().copied().chain([ENTRY])
}

/// How the names of the prelude's files begin, in stacks.
pub(super) const PREFIX: &str = "ss:prelude/";
