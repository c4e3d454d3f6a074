use swc_core::ecma::ast::{Ident, ObjectPatProp, Pat};

/// Calls `see` with every name that a pattern binds, in source order.
pub(crate) fn each_name<'a>(pat: &'a Pat, see: &mut impl FnMut(&'a Ident)) {
    match pat {
        Pat::Ident(name) => see(&name.id),
        Pat::Array(array) => array.elems.iter().flatten().for_each(|elem| each_name(elem, see)),
        Pat::Rest(rest) => each_name(&rest.arg, see),
        Pat::Assign(assign) => each_name(&assign.left, see),
        Pat::Object(object) => {
            for prop in &object.props {
                match prop {
                    ObjectPatProp::KeyValue(pair) => each_name(&pair.value, see),
                    ObjectPatProp::Assign(name) => see(&name.key.id),
                    ObjectPatProp::Rest(rest) => each_name(&rest.arg, see),
                }
            }
        }
        Pat::Invalid(_) | Pat::Expr(_) => {}
    }
}
