use swc_core::common::SourceMap;
use swc_core::common::comments::SingleThreadedComments;
use swc_core::common::sync::Lrc;
use swc_core::ecma::ast::Program;
use swc_core::ecma::transforms::react;
use swc_core::ecma::transforms::typescript as types;

use crate::names::Names;
use crate::{JsxForm, Language};

/// What a file wants its elements to become.
pub(crate) struct Jsx {
    form: JsxForm,
    /// Its comments, kept when a pragma may be among them.
    pragmas: Option<SingleThreadedComments>,
}

impl Jsx {
    /// Nothing for a text that has no elements: every element ends with one of two signs.
    pub(crate) fn of(text: &str, language: Language, form: &JsxForm) -> Option<Self> {
        let has = |part: &str| memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some();
        let may = matches!(language, Language::JavaScript | Language::Jsx | Language::Tsx);
        if !may || !(has("</") || has("/>")) {
            return None;
        }
        // `@jsx h` names a function to call, which only the classic form does; whoever writes it means that form.
        let form = if has("@jsxImportSource") {
            JsxForm::React
        } else if has("@jsx ") {
            JsxForm::Call("React.createElement".to_owned(), "React.Fragment".to_owned())
        } else {
            form.clone()
        };
        Some(Self { form, pragmas: has("@jsx").then(SingleThreadedComments::default) })
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
                program.mutate(types::tsx(files, config, self.factories(), comments, free, top));
            }
            None => {
                let files = Lrc::new(SourceMap::default());
                let comments = SingleThreadedComments::default();
                program.mutate(types::tsx(files, config, self.factories(), comments, free, top));
            }
        }
    }

    /// The functions that elements call: an import of one of them is no type.
    fn factories(&self) -> types::TsxConfig {
        match &self.form {
            JsxForm::Call(element, fragment) => {
                types::TsxConfig { pragma: Some(element.clone().into()), pragma_frag: Some(fragment.clone().into()) }
            }
            _ => types::TsxConfig::default(),
        }
    }

    /// Writes elements as calls.
    pub(crate) fn write_calls(self, program: &mut Program, names: &Names) {
        let automatic = react::Options { runtime: Some(react::Runtime::Automatic), ..react::Options::default() };
        let options = match self.form {
            JsxForm::React => automatic,
            JsxForm::Of(package) => react::Options { import_source: Some(package.into()), ..automatic },
            JsxForm::Call(element, fragment) => react::Options {
                runtime: Some(react::Runtime::Classic),
                pragma: Some(element.into()),
                pragma_frag: Some(fragment.into()),
                ..react::Options::default()
            },
        };
        let files = Lrc::new(SourceMap::default());
        program.mutate(react::jsx(files, self.pragmas, options, names.top_mark, names.unresolved_mark));
    }
}
