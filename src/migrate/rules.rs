use super::{Advice, Weight};
use crate::project::Role;

type Folder = (&'static str, Weight, &'static str, &'static str);

/// Paths that an app of 2011 may have, and what became of them.
pub(super) const FOLDERS: &[Folder] = &[
    (".socketstream_state", Weight::Should, "the framework's own note of its version", "Delete it."),
    ("public/assets", Weight::Should, "the packer of 2011 wrote its bundles here", "Delete it: builds go to `dist`."),
    (
        "public/index.html",
        Weight::Must,
        "the packer of 2011 wrote the page here, where it would stand in the way of the app's own",
        "Delete it.",
    ),
    (
        "app/models",
        Weight::Must,
        "realtime models were an experiment of 2011 and are gone",
        "Move the code to `app/server` or `lib/server`.",
    ),
    (
        "app.js",
        Weight::Know,
        "the server is started by `ssserve`, not by a script of the app",
        "Delete it if all it did was to start SocketStream.",
    ),
    (
        "server.js",
        Weight::Know,
        "the server is started by `ssserve`, not by a script of the app",
        "Delete it if all it did was to start SocketStream.",
    ),
    (
        "app/css/helpers.styl",
        Weight::Know,
        "browsers need no vendor prefixes by hand any more",
        "Keep it, or drop its mixins: the build prefixes for the browsers of `build.targets`.",
    ),
    (
        "lib/client/3.helpers.js",
        Weight::Know,
        "its helpers extend the prototypes of arrays, strings and objects, which other libraries may trip over",
        "Keep it while the app uses them.",
    ),
];

/// A word in a line of some roles' files, and what became of it.
struct Rule {
    roles: &'static [Role],
    /// Any of them.
    words: &'static [&'static str],
    weight: Weight,
    what: &'static str,
    todo: &'static str,
}

const SERVER: &[Role] = &[Role::Server, Role::LibServer, Role::Config];
const BROWSER: &[Role] = &[Role::Client, Role::View];
const ALL: &[Role] = &[Role::Client, Role::Shared, Role::Server, Role::LibServer, Role::Config, Role::View];

const RULES: &[Rule] = &[
    Rule {
        roles: SERVER,
        words: &["getSession"],
        weight: Weight::Know,
        what: "`getSession` calls back at once: the session is there before the action runs",
        todo: "Nothing, or use `this.session` (`@session`): it is the caller's own, and safe to keep in callbacks.",
    },
    Rule {
        roles: &[Role::Server],
        words: &["exports.authenticate"],
        weight: Weight::Know,
        what: "`exports.authenticate = true` now guards every action of the file, over the websocket too; in 2011 it guarded HTTP only",
        todo: "Make sure that nothing in this file is called before the login.",
    },
    Rule {
        roles: SERVER,
        words: &["SS.redis", "SS.internal"],
        weight: Weight::Must,
        what: "`SS.redis` and `SS.internal` are not there for apps",
        todo: "Use `R` for Redis; there is nothing else to reach inside.",
    },
    Rule {
        roles: SERVER,
        words: &[
            "R.get",
            "R.set",
            "R.h",
            "R.s",
            "R.z",
            "R.l",
            "R.in",
            "R.del",
            "R.exp",
            "R.multi",
            "R.keys",
            "R.ex",
            "R.publish",
        ],
        weight: Weight::Should,
        what: "Redis is used when the configuration names one, not by itself",
        todo: "Set `redis.host` in `config/app`; without it `R` says so when it is used.",
    },
    Rule {
        roles: SERVER,
        words: &["setUserId"],
        weight: Weight::Know,
        what: "a login gives the session a new id, and the stored user is forgotten at logout",
        todo: "Nothing, unless the app keeps `session.id` somewhere.",
    },
    Rule {
        roles: SERVER,
        words: &["SS.root", "SS.libs"],
        weight: Weight::Must,
        what: "`SS.root` and `SS.libs` are not there any more",
        todo: "Files are named from `process.cwd()`, the folder where the server was started; libraries come by `require`.",
    },
    Rule {
        roles: SERVER,
        words: &["__dirname", "__filename"],
        weight: Weight::Know,
        what: "`__dirname` is a folder of the build, with copies of what lies in `app/server`, `lib/server` and `vendor`",
        todo: "Nothing for files there; name others from `process.cwd()`, the folder where the server was started.",
    },
    Rule {
        roles: SERVER,
        words: &["http.createClient"],
        weight: Weight::Must,
        what: "Node.js has no `http.createClient` any more",
        todo: "Use `http.request({host, port, path}, callback)`, or `fetch(url)`.",
    },
    Rule {
        roles: SERVER,
        words: &["path.exists", "path.existsSync"],
        weight: Weight::Must,
        what: "Node.js has moved `path.exists` and `path.existsSync`",
        todo: "Use `fs.access` and `fs.existsSync`.",
    },
    Rule {
        roles: SERVER,
        words: &["util.puts", "util.print", "util.log", "util.pump", "sys.puts", "sys.print", "sys.log", "sys.pump"],
        weight: Weight::Must,
        what: "Node.js has taken the output functions and `pump` out of `util` and `sys`",
        todo: "Use `console.log`, and `source.pipe(target)`.",
    },
    Rule {
        roles: SERVER,
        words: &["require.paths"],
        weight: Weight::Must,
        what: "Node.js has no `require.paths` any more",
        todo: "Put modules in `lib/server` or `vendor/NAME/lib`: they are found by their names.",
    },
    Rule {
        roles: &[Role::Server, Role::Shared, Role::LibServer],
        words: &[
            ".unique()",
            ".truncate(",
            ".truncate ",
            ".sanitize()",
            ".capitalized()",
            ".pluralize(",
            ".pluralize ",
            ".intersect(",
            ".intersect ",
            ".include(",
            ".include ",
            ".contains(",
            ".contains ",
        ],
        weight: Weight::Should,
        what: "the helpers of 2011 on strings, lists and numbers are not there for server code",
        todo: "If it is one of them: put the app's `3.helpers.js` into `lib/server` as `helpers.js`, and `require('helpers')` in `config/db`.",
    },
    Rule {
        roles: &[Role::Client, Role::Shared],
        words: &["exports ? this", "exports ? window", "exports || this", "exports || window"],
        weight: Weight::Should,
        what: "`exports` is there in every file now, in 2011 it was not in the browser: what is set on it here is no global",
        todo: "Write `window` for a global; better export it, and use it as `SS.client.….name`.",
    },
    Rule {
        roles: SERVER,
        words: &["SS.rtm", "SS.models", "SS.Model"],
        weight: Weight::Must,
        what: "realtime models are gone",
        todo: "Call actions, and publish events.",
    },
    Rule {
        roles: ALL,
        words: &[
            "require('socketstream')",
            "require 'socketstream'",
            "require(\"socketstream\")",
            "require \"socketstream\"",
        ],
        weight: Weight::Must,
        what: "there is no package `socketstream` to require",
        todo: "`ssserve` loads the app; for tests see the book's chapter on them.",
    },
    Rule {
        roles: SERVER,
        words: &["global."],
        weight: Weight::Know,
        what: "globals are shared by all users while `server.workers` is 1, the default; they do not reach other servers",
        todo: "Keep what must last in a database.",
    },
    Rule {
        roles: BROWSER,
        words: &["io.Socket", "io.connect", "WEB_SOCKET_SWF_LOCATION"],
        weight: Weight::Must,
        what: "Socket.IO and flash sockets are gone: the client has its own websocket, and a fallback",
        todo: "Use `SS.socket.on('connect', …)` and its neighbours.",
    },
    Rule {
        roles: BROWSER,
        words: &["window.app"],
        weight: Weight::Know,
        what: "`window.app.init`, the way of 0.0.44, is called when `app/client/app` exports no `init`",
        todo: "Write `exports.init = …`.",
    },
    Rule {
        roles: BROWSER,
        words: &["session_id", "document.cookie"],
        weight: Weight::Should,
        what: "the session's cookie cannot be read by scripts any more",
        todo: "Ask the server, by an action.",
    },
];

/// What the check says better, as soon as the packages are there that it needs.
const UNCHECKED: &[Rule] = &[Rule {
    roles: BROWSER,
    words: &["!!!"],
    weight: Weight::Must,
    what: "`!!!` is not understood by today's Pug",
    todo: "Write `doctype html`, or keep the Jade of 2011: `npm install --save-dev jade@0.12`.",
}];

/// Whether the check could compile an app's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Checked {
    Whole,
    WithoutPackages,
}

/// What is to be said of the lines of a file.
pub(super) fn lines(file: &str, role: Role, text: &str, checked: Checked) -> Vec<Advice> {
    let mut found = Vec::new();
    let unchecked = UNCHECKED.iter().filter(|_| checked == Checked::WithoutPackages);
    for rule in RULES.iter().chain(unchecked).filter(|rule| rule.roles.contains(&role)) {
        let hit = text.lines().enumerate().find(|(_, line)| {
            let code = line.trim_start();
            let is_comment = code.starts_with("//")
                || (code.starts_with('#') && !file.ends_with(".jade") && !file.ends_with(".pug"));
            !is_comment && rule.words.iter().any(|word| has_word(code, word))
        });
        // The first line of each kind is enough: the others are alike.
        if let Some((number, _)) = hit {
            let (what, todo) = (rule.what.to_owned(), rule.todo.to_owned());
            found.push(Advice { file: file.to_owned(), line: number + 1, weight: rule.weight, what, todo });
        }
    }
    found
}

/// Whether a word stands in a line, and does not end another name.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        // A method stands behind anything.
        if word.starts_with('.') {
            return true;
        }
        let before = line[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '$' | '.'))
            || word.starts_with("getSession")
    })
}
