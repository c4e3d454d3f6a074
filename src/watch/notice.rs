use std::fmt::Write;

use ssbuild_server::waiting::NUMBER_PATH;

use super::desk::Problem;

/// Looks as the client's overlay does.
const STYLE: &str = "\
body{margin:0;background:#0f1117;padding:5vh 4vw;color:#8b94a7;font:14px/1.5 system-ui,sans-serif}\
section,h1,footer{max-width:62rem;margin:0 auto 1.25rem}h1{font-size:1.1rem;font-weight:600;color:#d8dee9}\
section{background:#171a21;color:#d8dee9;border-top:4px solid #e5534b;border-radius:6px;\
font:14px/1.5 ui-monospace,Menlo,Consolas,monospace}\
header{padding:.9rem 1.2rem .2rem;color:#ff8f87;font-weight:600}\
pre{margin:0;padding:.4rem 1.2rem 1rem;overflow-x:auto;font:inherit}\
nav{padding:0 1.2rem 1rem;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem}a{color:#7cb7ff}";

/// How often the page asks for news, in milliseconds.
const ASKS_EVERY_MS: u32 = 400;

/// The page that stands where the app will be, with what is wrong with its sources.
pub(super) fn html(problems: &[Problem], number: u64) -> String {
    let mut cards = String::new();
    for problem in problems {
        let links: String = problem.places.iter().fold(String::new(), |mut links, place| {
            let (url, name) = (escaped(&place.url), escaped(&place.name));
            write!(links, "<a href=\"{url}\">{name}</a>").expect("a string takes all text");
            links
        });
        let (title, text) = (escaped(&problem.title), escaped(&problem.text));
        writeln!(cards, "<section><header>{title}</header><pre>{text}</pre><nav>{links}</nav></section>")
            .expect("a string takes all text");
    }
    // Whoever else answers in the end is the app.
    let script = format!(
        "setInterval(()=>fetch('{NUMBER_PATH}').then(r=>r.text()).then(t=>t==='{number}'||location.reload(),()=>{{}}),{ASKS_EVERY_MS})"
    );
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Not built yet</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>There has been no good build yet</h1>\n{cards}\
         <footer>This page gives way to the app as soon as the mistakes are mended.</footer>\n\
         <script>{script}</script></body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Problem, html};

    #[test]
    fn what_sources_say_is_text() {
        let text = "1 | <script>alert(\"&\")</script>".to_owned();
        let shown = html(&[Problem { title: "a < b".to_owned(), text, places: Vec::new() }], 3);
        assert!(
            shown.contains(
                "<header>a &lt; b</header><pre>1 | &lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;</pre>"
            )
        );
        assert!(shown.contains("t==='3'"));
    }
}
