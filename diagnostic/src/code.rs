use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build does not succeed.
    Error,
    /// Likely a mistake; `--deny warnings` makes it an error.
    Warning,
    /// Worth knowing.
    Note,
}

macro_rules! codes {
    ($($variant:ident $name:literal $severity:ident $about:literal,)*) => {
        /// The closed list of findings. Each has a section in the book and a case in `testdata/errors`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code {
            $(#[doc = $about] #[serde(rename = $name)] $variant,)*
        }

        impl Code {
            /// Every code there is, in the order of the book.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name that users see and search for.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What this kind of finding is about, in one sentence.
            pub fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }

            /// The severity such a finding has unless the caller raises it.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    EntryMissing "entry-missing" Error "A file that every app must have is not there.",
    NameConflict "name-conflict" Error "Two files or folders claim the same place in an API tree.",
    NameReserved "name-reserved" Error "A file, folder or export has a name that the runtime keeps for itself.",
    NameInvalid "name-invalid" Error "A file name cannot be used in an API tree or a URL.",
    SyntaxError "syntax-error" Error "A script cannot be parsed.",
    NestedTooDeep "nested-too-deep" Error "A source is nested deeper than the compiler accepts.",
    CompilerPanic "compiler-panic" Error "A compiler gave up on a file in a way it should not have.",
    ActionsNotStatic "actions-not-static" Error "`exports.actions` cannot be read from the syntax tree.",
    AnswerUnclear "answer-unclear" Warning "It is unclear whether an action answers through a callback or by its value.",
    ActionNeverAnswers "action-never-answers" Warning "An action has no way to answer its caller.",
    ImportUnresolved "import-unresolved" Error "An import names a module that cannot be found.",
    ExportMissing "export-missing" Error "An import asks for a name that the module does not export.",
    ImportDynamic "import-dynamic" Note "An import is not named by a literal, so it is not linked.",
    ImportForbidden "import-forbidden" Error "Browser code imports something that must not or cannot run in a browser.",
    EnvPrivate "env-private" Error "Browser code reads a variable of the environment that is not public.",
    ImportCycle "import-cycle" Warning "Modules import each other in a circle.",
    TopLevelAwait "top-level-await" Error "A module waits at its top level, where nobody can wait for it.",
    UnknownPath "unknown-path" Warning "A call names a place that is not in the API tree.",
    DynamicPath "dynamic-path" Note "A path in an API tree is computed, so it is not checked.",
    UsedEarly "used-early" Warning "A module uses a place in an API tree before what stands there is evaluated.",
    LibIsModule "lib-is-module" Error "A file in `lib/client` uses import or export; libraries there are plain scripts.",
    StyleError "style-error" Error "A stylesheet cannot be compiled.",
    StyleWarning "style-warning" Warning "A stylesheet compiles, but the compiler has something to say.",
    StyleLimit "style-limit" Error "A stylesheet took more time or memory than it is given.",
    UrlUnresolved "url-unresolved" Error "A url() or asset() names a file that is not there.",
    UrlEscapes "url-escapes" Error "A path leaves the app folder.",
    ViewError "view-error" Error "A view cannot be rendered.",
    ViewNoTag "view-no-tag" Error "A page does not say where its scripts and styles go.",
    TemplateInvalid "template-invalid" Error "A client-side template cannot stand in a page.",
    CspEval "csp-eval" Warning "A bundle evaluates text as code, so the policy must allow it.",
    ConfigInvalid "config-invalid" Error "A configuration value has the wrong type or cannot be read.",
    ConfigUnknown "config-unknown" Warning "A configuration key is not known.",
    FileUnused "file-unused" Warning "A file lies in a folder of the app, but nothing is made of it.",
    BreaksOpenTabs "breaks-open-tabs" Warning "Pages that are open when the build is deployed would miss something.",
    BudgetExceeded "budget-exceeded" Error "A file is larger than the configuration allows.",
    LanguageUnsupported "language-unsupported" Error "A file is in a language this version does not compile.",
    PreprocessorMissing "preprocessor-missing" Error "A language's own compiler, or the Node.js that runs it, is not installed or does not work.",
    EngineChanged "engine-changed" Warning "The server code runs in another engine than in the build before.",
    FileUnreadable "file-unreadable" Error "A file is not text in UTF-8, or is too large, or is not a regular file.",
}
