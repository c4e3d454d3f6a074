use std::collections::BTreeMap;

/// What a new app begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// People, a room, messages for everybody.
    Chat,
    /// One action and a page.
    Minimal,
    /// React, and a number that all browsers share.
    React,
    /// CoffeeScript, Stylus, Jade and jQuery, as in 2011.
    Coffee,
}

/// What its scripts are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JavaScript, or what the template is written in.
    Own,
    /// TypeScript.
    TypeScript,
}

type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($folder:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!("templates/", $folder, "/", $path))),)*]
    };
}

const SHARED: Files = files!("shared": "README.md" "package.json" "config/app.json" "public/favicon.svg");
/// Files whose names begin with a dot in the app, and must not here.
const DOTTED: Files = files!("shared": "gitignore");

const MINIMAL: Files = files!("minimal": "app/views/app.html" "app/css/app.scss");
const MINIMAL_JS: Files = files!("minimal/js": "app/client/app.js" "app/server/app.js" "test/app.test.js");
const MINIMAL_TS: Files = files!("minimal/ts": "app/client/app.ts" "app/server/app.ts" "test/app.test.ts");

const CHAT: Files = files!("chat":
    "app/views/app.html" "app/views/chat/door.html" "app/views/chat/room.html" "app/css/app.scss" "app/css/_theme.scss");
const CHAT_JS: Files = files!("chat/js":
    "app/client/app.js" "app/client/page.js" "app/server/door.js" "app/server/room.js" "app/shared/rules.js"
    "test/chat.test.js");
const CHAT_TS: Files = files!("chat/ts":
    "app/client/app.ts" "app/client/page.ts" "app/server/door.ts" "app/server/room.ts" "app/shared/rules.ts"
    "test/chat.test.ts");

const REACT: Files = files!("react": "package.json" "app/views/app.html" "app/css/app.scss");
const REACT_JS: Files =
    files!("react/js": "app/client/app.jsx" "app/client/counter.jsx" "app/server/app.js" "test/app.test.js");
const REACT_TS: Files =
    files!("react/ts": "app/client/app.tsx" "app/client/counter.tsx" "app/server/app.ts" "test/app.test.ts");

const COFFEE: Files = files!("coffee":
    "package.json" "config/app.coffee" "app/views/app.jade" "app/views/messages/line.html" "app/css/app.styl"
    "app/client/app.coffee" "app/server/app.coffee" "app/shared/rules.coffee" "lib/client/_3.helpers.js"
    "test/app.test.coffee");

impl Template {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Chat, Self::Minimal, Self::React, Self::Coffee];

    /// As it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Minimal => "minimal",
            Self::React => "react",
            Self::Coffee => "coffee",
        }
    }

    /// Whether packages have to be installed before it can be built.
    pub fn needs_packages(self) -> bool {
        matches!(self, Self::React | Self::Coffee)
    }

    /// Its files by path; nothing when it is not written in that language.
    pub(super) fn files(self, language: Language) -> Option<BTreeMap<String, &'static str>> {
        let layers: &[Files] = match (self, language) {
            (Self::Minimal, Language::Own) => &[SHARED, MINIMAL, MINIMAL_JS],
            (Self::Minimal, Language::TypeScript) => &[SHARED, MINIMAL, MINIMAL_TS],
            (Self::Chat, Language::Own) => &[SHARED, CHAT, CHAT_JS],
            (Self::Chat, Language::TypeScript) => &[SHARED, CHAT, CHAT_TS],
            (Self::React, Language::Own) => &[SHARED, REACT, REACT_JS],
            (Self::React, Language::TypeScript) => &[SHARED, REACT, REACT_TS],
            (Self::Coffee, Language::Own) => &[SHARED, COFFEE],
            (Self::Coffee, Language::TypeScript) => return None,
        };
        // A template's own file wins over the shared one.
        let mut files: BTreeMap<String, &str> =
            layers.iter().flat_map(|layer| layer.iter()).map(|&(path, text)| (path.to_owned(), text)).collect();
        if files.contains_key("config/app.coffee") {
            files.remove("config/app.json");
        }
        files.extend(DOTTED.iter().map(|&(path, text)| (format!(".{path}"), text)));
        Some(files)
    }
}
