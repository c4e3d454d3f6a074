//! TypeScript's types taken away, and decorators written as calls, as a `tsconfig.json` wants it.

use serde::{Deserialize, Serialize};
use swc_core::ecma::ast::{Decorator, Pass, Program};
use swc_core::ecma::transforms::typescript as types;
use swc_core::ecma::visit::{Visit, VisitWith, noop_visit_type};
use swc_ecma_transforms_base::helpers::{HELPERS, Helpers, inject_helpers};
use swc_ecma_transforms_proposal::decorator_2023_11::decorator_2023_11;
use swc_ecma_transforms_proposal::decorators::{Config as LegacyConfig, decorators as legacy};

use crate::names::Names;

/// What a `tsconfig.json` decides about the code that comes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeScript {
    /// Which decorators are meant.
    pub decorators: Decorators,
    /// How fields of classes are set.
    pub fields: Fields,
    /// What elements become, where the file itself does not say.
    pub jsx: JsxForm,
}

/// Which proposal decorators follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Decorators {
    /// The language's.
    #[default]
    Standard,
    /// `experimentalDecorators`.
    Experimental,
    /// `experimentalDecorators` with `emitDecoratorMetadata`.
    ExperimentalWithMetadata,
}

/// How the fields of a TypeScript class are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fields {
    /// As the language does it.
    #[default]
    Defined,
    /// By assignment in the constructor: `useDefineForClassFields` is off.
    Assigned,
}

/// What elements become.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JsxForm {
    /// Calls of React's `jsx-runtime`.
    #[default]
    React,
    /// Calls of another package's `jsx-runtime`.
    Of(String),
    /// Calls of a function: its name, and that of fragments.
    Call(String, String),
}

pub(crate) fn config(options: &TypeScript) -> types::Config {
    types::Config { native_class_properties: options.fields == Fields::Defined, ..types::Config::default() }
}

/// Writes decorators as calls. The functions that they call are put into the program.
pub(crate) fn write_decorators(program: &mut Program, options: &TypeScript, names: &Names) {
    let mut seen = HasDecorators(false);
    program.visit_with(&mut seen);
    if !seen.0 {
        return;
    }
    HELPERS.set(&Helpers::new(false), || {
        match options.decorators {
            Decorators::Standard => decorator_2023_11().process(program),
            kind => legacy(LegacyConfig {
                legacy: true,
                emit_metadata: kind == Decorators::ExperimentalWithMetadata,
                use_define_for_class_fields: options.fields == Fields::Defined,
            })
            .process(program),
        }
        inject_helpers(names.unresolved_mark).process(program);
    });
}

struct HasDecorators(bool);

impl Visit for HasDecorators {
    noop_visit_type!();

    fn visit_decorator(&mut self, _: &Decorator) {
        self.0 = true;
    }
}
