//! Views: pages with their head tags and their Content-Security-Policy, and client-side templates.
//!
//! Pages come last: they name everything else, and nothing names them. A page is kept as segments, so that the base
//! URL of the assets can be filled in when it is served.

mod csp;
mod escape;
mod head;
mod html;
mod jinja;
mod marks;
mod page;
mod pug;
mod segments;
mod templates;

pub use csp::{Allowed, CspInput};
pub use head::{Head, HeadAsset};
pub use page::{PageInput, RenderedPage, ViewInput, render_pages};
pub use templates::{Template, TemplateSource, collect_templates};
