//! The actions of a server file, read from its syntax: what can be called, with which parameters, and how it answers.

mod find;
mod function;

use ssbuild_diagnostic::{Code, Diagnostic};
use swc_core::atoms::Atom;
use swc_core::common::{Span, Spanned};
use swc_core::ecma::ast::*;

use crate::exports::prop_name;
use crate::names::Names;
use crate::place::Places;
use crate::{ActionMeta, AnswerStyle};
use find::File;
use function::{ActionFn, Unclear};

/// Names in an action's context; an action of that name could not be reached beside them.
const RESERVED_IN_CONTEXT: [&str; 3] = ["session", "user", "request"];

/// Names that mean something to every JavaScript object or promise.
const RESERVED_EVERYWHERE: [&str; 4] = ["__proto__", "constructor", "prototype", "then"];

/// Objects inside objects that are followed; a cycle of constants would have no end.
const NESTING_LIMIT: usize = 64;

/// Reads the actions of a program, before anything in it is changed.
pub(crate) fn read(program: &Program, names: &Names, places: &Places<'_>) -> (Vec<ActionMeta>, Vec<Diagnostic>) {
    let file = File::new(program, names, places);
    let mut reader = Reader { places, file: &file, guard: false, style: None, actions: Vec::new(), found: Vec::new() };
    reader.read();
    let Reader { actions, mut found, .. } = reader;
    found.extend(file.finish());
    (actions, found)
}

struct Reader<'a, 'p> {
    places: &'a Places<'a>,
    file: &'a File<'p>,
    guard: bool,
    style: Option<AnswerStyle>,
    actions: Vec<ActionMeta>,
    found: Vec<Diagnostic>,
}

impl<'p> Reader<'_, 'p> {
    fn read(&mut self) {
        self.read_guard();
        self.read_style();
        match self.file.exported("actions") {
            Some(Ok(value)) => self.object(value, &mut Vec::new(), 0),
            Some(Err(span)) => self.no_object(span, &[]),
            None => {}
        }
    }

    fn read_guard(&mut self) {
        let Some(value) = self.file.exported("authenticate") else { return };
        match value.map(|value| self.file.resolve(value)) {
            Ok(Expr::Lit(Lit::Bool(guard))) => self.guard = guard.value,
            other => self.not_static(
                other.map_or_else(|span| span, Spanned::span),
                "`exports.authenticate` is neither `true` nor `false`",
                "Write `exports.authenticate = true`; a guard must be known before the server runs.",
            ),
        }
    }

    fn read_style(&mut self) {
        let Some(value) = self.file.exported("style") else { return };
        let resolved = value.map(|value| self.file.resolve(value));
        let text = match resolved {
            Ok(Expr::Lit(Lit::Str(text))) => text.value.as_str(),
            _ => None,
        };
        match text {
            Some("callback") => self.style = Some(AnswerStyle::Callback),
            Some("value") => self.style = Some(AnswerStyle::Value),
            _ => self.not_static(
                resolved.map_or_else(|span| span, Spanned::span),
                "`exports.style` is neither \"callback\" nor \"value\"",
                "Write one of the two as a string, or leave it out.",
            ),
        }
    }

    /// The keys of an object of actions.
    fn object(&mut self, value: &'p Expr, path: &mut Vec<String>, depth: usize) {
        let resolved = self.file.resolve(value);
        let Expr::Object(object) = resolved else {
            return self.no_object(value.span(), path);
        };
        if depth > NESTING_LIMIT {
            return self.endless(value.span());
        }
        // A later key replaces an earlier one, as it does when the object is made.
        for prop in &object.props {
            match prop {
                PropOrSpread::Spread(spread) => self.object(&spread.expr, path, depth + 1),
                PropOrSpread::Prop(prop) => self.property(prop, path, depth),
            }
        }
    }

    fn no_object(&mut self, span: Span, path: &[String]) {
        let what = if path.is_empty() { "`exports.actions`".to_owned() } else { format!("`{}`", path.join(".")) };
        self.not_static(
            span,
            &format!("{what} is not an object that can be read here"),
            "Write an object literal, or a `const` of this file that is one.",
        );
    }

    fn property(&mut self, prop: &'p Prop, path: &mut Vec<String>, depth: usize) {
        let key = match prop {
            Prop::Shorthand(name) => Some((name.sym.clone(), name.span)),
            Prop::KeyValue(pair) => prop_name(&pair.key),
            Prop::Method(method) => prop_name(&method.key),
            Prop::Getter(getter) => return self.accessor(getter.span),
            Prop::Setter(setter) => return self.accessor(setter.span),
            Prop::Assign(assign) => return self.accessor(assign.span),
        };
        let Some((key, span)) = key else {
            return self.not_static(
                prop.span(),
                "the name of this action is computed",
                "Write the name itself as the key.",
            );
        };
        if !self.check_key(&key, span) {
            return;
        }
        path.push(key.to_string());
        match prop {
            Prop::Method(method) => self.action(ActionFn::function(&method.function), span, path),
            Prop::KeyValue(pair) => self.value(&pair.value, span, path, depth),
            Prop::Shorthand(name) => match self.file.definition(name) {
                Some(value) => self.defined(value, span, path, depth),
                None => self.unknown_value(name.span, path),
            },
            Prop::Getter(_) | Prop::Setter(_) | Prop::Assign(_) => {}
        }
        path.pop();
    }

    fn value(&mut self, value: &'p Expr, span: Span, path: &mut Vec<String>, depth: usize) {
        match strip(value) {
            Expr::Ident(name) => match self.file.definition(name) {
                Some(definition) => self.defined(definition, span, path, depth),
                None => self.unknown_value(name.span, path),
            },
            value => self.defined(find::Definition::Value(value), span, path, depth),
        }
    }

    fn defined(&mut self, definition: find::Definition<'p>, span: Span, path: &mut Vec<String>, depth: usize) {
        match definition {
            find::Definition::Function(function) => self.action(ActionFn::function(function), span, path),
            find::Definition::Value(value) => match self.file.resolve(value) {
                Expr::Fn(function) => self.action(ActionFn::function(&function.function), span, path),
                Expr::Arrow(arrow) => self.action(ActionFn::arrow(arrow), span, path),
                Expr::Object(_) if depth < NESTING_LIMIT => self.nested(value, path, depth),
                Expr::Object(object) => self.endless(object.span),
                other => self.unknown_value(other.span(), path),
            },
        }
    }

    fn endless(&mut self, span: Span) {
        self.not_static(span, "these actions contain themselves", "Give each object keys of its own.");
    }

    /// An object below a key. What an earlier key of that name had is replaced.
    fn nested(&mut self, value: &'p Expr, path: &mut Vec<String>, depth: usize) {
        self.forget(path);
        self.object(value, path, depth + 1);
    }

    fn action(&mut self, function: ActionFn<'p>, span: Span, path: &[String]) {
        self.forget(path);
        let shape = function.shape(self.style);
        if let Some(unclear) = &shape.unclear {
            self.unclear(unclear, span, path);
        }
        if shape.never_answers && shape.callback.is_none() {
            self.found.push(
                Diagnostic::new(
                    Code::ActionNeverAnswers,
                    format!("`{}` has no parameter for its callback, so its callers wait in vain", path.join(".")),
                )
                .at(self.places.of(span), "the file says `exports.style = \"callback\"`")
                .help("Let it take a callback as its last parameter."),
            );
        } else if shape.never_answers {
            let callback = shape.callback.as_deref().unwrap_or("callback");
            self.found.push(
                Diagnostic::new(
                    Code::ActionNeverAnswers,
                    format!("`{}` never uses its callback, so its callers wait in vain", path.join(".")),
                )
                .at(self.places.of(span), format!("`{callback}` is not mentioned in it"))
                .help("Call the callback, or take it out of the parameters to answer with the return value."),
            );
        }
        self.actions.push(ActionMeta {
            path: path.to_vec(),
            params: shape.params,
            rest: shape.rest,
            style: shape.style,
            guard: self.guard,
            place: self.places.of(span),
        });
    }

    fn unclear(&mut self, unclear: &Unclear, span: Span, path: &[String]) {
        let name = path.join(".");
        let (message, label, help) = match unclear {
            Unclear::Promise(callback) => (
                format!("`{name}` looks as if it answered through `{callback}`, but it answers by its promise"),
                format!("it is async or a generator; `{callback}` is one more parameter of its callers"),
                format!("Take `{callback}` out of the parameters and return the answer, or take `async` away."),
            ),
            Unclear::Returns(callback) => (
                format!(
                    "`{name}` looks as if it answered by value, but it answers through `{callback}`, which it never uses"
                ),
                format!("`{callback}` is named like a callback"),
                format!(
                    "Call `{callback}`, or name it differently; `exports.style = \"value\"` says so for the whole file."
                ),
            ),
            Unclear::Misplaced(callback) => (
                format!(
                    "`{name}` calls `{callback}`, but only the last parameter, without a default, can be the callback"
                ),
                "it answers by its return value".to_owned(),
                format!("Make `{callback}` the last parameter, or return the answer."),
            ),
        };
        self.found.push(Diagnostic::new(Code::AnswerUnclear, message).at(self.places.of(span), label).help(help));
    }

    fn forget(&mut self, path: &[String]) {
        self.actions.retain(|action| !action.path.starts_with(path));
    }

    fn check_key(&mut self, key: &Atom, span: Span) -> bool {
        if RESERVED_IN_CONTEXT.contains(&&**key) || RESERVED_EVERYWHERE.contains(&&**key) {
            let why = if RESERVED_IN_CONTEXT.contains(&&**key) {
                format!("in an action `this.{key}` is something else")
            } else {
                "JavaScript gives this name a meaning of its own".to_owned()
            };
            self.found.push(
                Diagnostic::new(Code::NameReserved, format!("an action cannot be named `{key}`"))
                    .at(self.places.of(span), why)
                    .help("Choose another name."),
            );
            return false;
        }
        if key.is_empty() || key.contains('/') {
            let what = if key.is_empty() { "an action needs a name" } else { "an action's name cannot contain `/`" };
            self.found.push(
                Diagnostic::new(Code::NameInvalid, what)
                    .at(self.places.of(span), "names are joined by `/` on the wire")
                    .help("Choose another name, or nest objects: `{admin: {reset() {}}}`."),
            );
            return false;
        }
        true
    }

    fn accessor(&mut self, span: Span) {
        self.not_static(span, "an action cannot be a getter or a setter", "Write a method.");
    }

    fn unknown_value(&mut self, span: Span, path: &[String]) {
        let name = path.join(".");
        let last = path.last().map_or("", String::as_str);
        self.not_static(
            span,
            &format!("`{name}` is not a function that can be read here"),
            &format!("Write a function of this file, which may call anything: `{last}: (a, b) => other.{last}(a, b)`."),
        );
    }

    fn not_static(&mut self, span: Span, message: &str, help: &str) {
        self.found.push(
            Diagnostic::new(Code::ActionsNotStatic, message)
                .at(self.places.of(span), "server code is not run at build time")
                .help(help),
        );
    }
}

/// An expression without the brackets around it.
fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => strip(&paren.expr),
        expr => expr,
    }
}
