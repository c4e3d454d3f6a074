//! Files that a module names by where they lie beside it.

use swc_core::common::{DUMMY_SP, Spanned};
use swc_core::ecma::ast::*;

use super::Walk;
use super::calls::literal_source;
use crate::exports::{prop_name, static_name};
use crate::joint::What;
use crate::{ImportKind, mangle, quote};

impl Walk<'_> {
    /// `new URL("./x", import.meta.url)` is told the address of the file, and `new Worker` of that the address of a program.
    pub(super) fn file_beside(&mut self, new: &mut NewExpr) {
        if self.is_host_class(&new.callee, "URL") {
            if let (Some(src), Some([first, _])) = (self.named_beside(new), new.args.as_deref_mut()) {
                let number = self.ask(&src, ImportKind::Url);
                first.expr = self.required(number, &src);
            }
            return;
        }
        if !self.is_host_class(&new.callee, "Worker") && !self.is_host_class(&new.callee, "SharedWorker") {
            return;
        }
        let Some([first, options @ ..]) = new.args.as_deref_mut() else { return };
        let Expr::New(url) = first.expr.unwrap_parens() else { return };
        if first.spread.is_some() || !self.is_host_class(&url.callee, "URL") {
            return;
        }
        let Some(src) = self.named_beside(url) else { return };
        let number = self.ask(&src, ImportKind::Worker);
        first.expr = self.required(number, &src);
        // What is bundled is a plain script.
        if let Some(Expr::Object(options)) = options.first_mut().map(|options| &mut *options.expr) {
            let is_type = |prop: &Prop| match prop {
                Prop::KeyValue(pair) => prop_name(&pair.key).is_some_and(|(name, _)| name == *"type"),
                _ => false,
            };
            options.props.retain(|prop| !prop.as_prop().is_some_and(|prop| is_type(prop)));
        }
    }

    /// A worker whose address is no literal, in code that makes addresses of its own.
    pub(super) fn note_blob_worker(&mut self, new: &NewExpr) {
        let is_worker = ["Worker", "SharedWorker"].iter().any(|name| self.is_host_class(&new.callee, name));
        let address = new.args.as_deref().and_then(<[_]>::first).map(|first| first.expr.unwrap_parens());
        if is_worker
            && address.is_some_and(|address| literal_source(address).is_none() && !address.is_new())
            && memchr::memmem::find(self.places.text().as_bytes(), b"createObjectURL").is_some()
        {
            self.blob_worker.get_or_insert_with(|| self.places.of(new.span));
        }
    }

    /// The file of `new URL("./x", import.meta.url)`, as an import would name it.
    fn named_beside(&self, new: &NewExpr) -> Option<Str> {
        let [ExprOrSpread { expr: file, spread: None }, ExprOrSpread { expr: base, spread: None }] =
            new.args.as_deref()?
        else {
            return None;
        };
        let Expr::Member(base) = base.unwrap_parens() else { return None };
        let is_meta = matches!(&*base.obj, Expr::MetaProp(meta) if meta.kind == MetaPropKind::ImportMeta);
        if !is_meta || static_name(&base.prop).is_none_or(|name| name != *"url") {
            return None;
        }
        let src = literal_source(file)?;
        let name = src.value.as_str()?;
        let path = name.split(['?', '#']).next().unwrap_or_default();
        let is_elsewhere = path.is_empty() || path.starts_with('/') || path.contains(':') || path.ends_with(['/', '.']);
        if is_elsewhere {
            return None;
        }
        let path = path.to_owned();
        Some(Str { value: path.into(), ..src })
    }

    /// `require(n)`, at the place of what it stands for.
    fn required(&self, number: usize, src: &Str) -> Box<Expr> {
        let number = if self.is_joined() {
            let hole = mangle::hole(What::Import(number as u32));
            Box::new(Expr::Ident(Ident { span: src.span, ..Ident::new_private(hole, DUMMY_SP) }))
        } else {
            quote::number(number as f64, src.span)
        };
        quote::call(Box::new(Expr::Ident(self.require(DUMMY_SP))), vec![quote::arg(number)], src.span())
    }

    /// `Worker`, `window.Worker`, `self.Worker`, `globalThis.Worker`.
    fn is_host_class(&self, callee: &Expr, name: &str) -> bool {
        match callee {
            Expr::Paren(paren) => self.is_host_class(&paren.expr, name),
            Expr::Member(member) => {
                let is_host = ["window", "self", "globalThis"].iter().any(|host| self.free_word(&member.obj, host));
                is_host && static_name(&member.prop).is_some_and(|member| *member == *name)
            }
            callee => self.free_word(callee, name),
        }
    }
}
