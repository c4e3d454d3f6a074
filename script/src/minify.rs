use swc_core::common::SourceMap;
use swc_core::common::sync::Lrc;
use swc_core::ecma::ast::{Program, Script};
use swc_core::ecma::minifier::optimize;
use swc_core::ecma::minifier::option::{CompressOptions, ExtraOptions, MangleOptions, MinifyOptions};

use crate::Minify;
use crate::names::Names;

/// Lines this long on average are the work of another minifier.
const MINIFIED_LINE_BYTES: usize = 500;

/// Makes a program small.
pub(crate) fn minify(script: Script, minify: Minify, names: &Names) -> Script {
    let options = MinifyOptions {
        compress: (minify == Minify::Max).then(compress_options),
        mangle: Some(MangleOptions { top_level: Some(false), ..MangleOptions::default() }),
        ..MinifyOptions::default()
    };
    let extra = ExtraOptions {
        unresolved_mark: names.unresolved_mark,
        top_level_mark: names.top_mark,
        mangle_name_cache: None,
    };
    let files = Lrc::new(SourceMap::default());
    match optimize(Program::Script(script), files, None, None, &options, &extra) {
        Program::Script(script) => script,
        Program::Module(_) => unreachable!("a script stays a script"),
    }
}

fn compress_options() -> CompressOptions {
    // Code of 2011, and polyfills, put methods on the prototypes of built-ins.
    CompressOptions { passes: 2, drop_debugger: false, pristine_globals: false, ..CompressOptions::default() }
}

/// Whether a text was minified before, so that doing it again only costs time.
pub(crate) fn is_minified(text: &str) -> bool {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
    text.len() / lines > MINIFIED_LINE_BYTES
}
