use swc_core::common::SourceMap;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::sync::Lrc;
use swc_core::ecma::ast::Program;
use swc_core::ecma::transforms::react;
use swc_core::ecma::transforms::typescript as types;

use crate::Language;
use crate::names::Names;

/// What a file wants its elements to become.
pub(crate) struct Jsx {
    runtime: react::Runtime,
    /// Its comments, kept when a pragma may be among them.
    pragmas: Option<SingleThreadedComments>,
}

impl Jsx {
    /// Nothing for a text that has no elements: every element ends with one of two signs.
    pub(crate) fn of(text: &str, language: Language) -> Option<Self> {
        let has = |part: &str| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
        let may = matches!(language, Language::JavaScript | Language::Jsx | Language::Tsx);
        if !may || !(has("</") || has("/>")) {
            return None;
        }
        // `@jsx h` names a function to call, which only the classic form does; whoever writes it means that form.
        let classic = has("@jsx ") && !has("@jsxImportSource");
        Some(Self {
            runtime: if classic { react::Runtime::Classic } else { react::Runtime::Automatic },
            pragmas: has("@jsx").then(SingleThreadedComments::default),
        })
    }

    /// Where the parser puts comments.
    pub(crate) fn comments(&self) -> Option<&SingleThreadedComments> {
        self.pragmas.as_ref()
    }

    /// Takes TypeScript's types away, and leaves the imports that elements will use.
    pub(crate) fn strip_types(&self, program: &mut Program, config: types::Config, names: &Names) {
        let (free, top) = (names.unresolved_mark, names.top_mark);
        match self.pragmas.clone() {
            Some(comments) => {
                let files = Lrc::new(SourceMap::default());
                program.mutate(types::tsx(files, config, types::TsxConfig::default(), comments, free, top));
            }
            None => program.mutate(types::typescript(config, free, top)),
        }
    }

    /// Writes elements as calls.
    pub(crate) fn write_calls(self, program: &mut Program, names: &Names) {
        let options = react::Options { runtime: Some(self.runtime), ..react::Options::default() };
        let files = Lrc::new(SourceMap::default());
        program.mutate(react::jsx(files, self.pragmas, options, names.top_mark, names.unresolved_mark));
    }
}
