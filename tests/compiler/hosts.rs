//! What other servers and tools are told of a build: headers, Vite's manifest, licences, a schema.

use std::{fs, path::Path};

use serde_json::Value;

use crate::app::App;

#[test]
fn static_hosts_are_told_the_headers() {
    let app = App::new(&[("config/app.json", r#"{"build": {"maps": "linked", "cdn_base": "https://cdn.test/x"}}"#)]);
    let built = app.built();
    let headers = String::from_utf8(built.files["public/_headers"].clone()).expect("text");
    let manifest = built.manifest();
    let (script, map) = (&manifest.assets["app.js"].file, &manifest.assets["app.js.map"].file);
    let below = |file: &str| file.trim_start_matches("public").to_owned();
    assert!(headers.contains("/assets/*\n  Cache-Control: public, max-age=31536000, immutable\n"), "{headers}");
    assert!(headers.contains(&format!("{}\n  SourceMap: {}\n", below(script), below(map))), "{headers}");
    let page = headers.split("\n/\n").nth(1).expect("the page");
    assert!(page.starts_with("  Cache-Control: no-cache\n  Content-Security-Policy: "), "{headers}");
    assert!(page.contains("script-src 'self' https://cdn.test"), "{headers}");

    app.write("public/_headers", "/*\n  X-Own: yes\n");
    let both = app.built().files["public/_headers"].clone();
    assert!(both.starts_with(b"/*\n  X-Content-Type-Options: nosniff\n") && both.ends_with(b"/*\n  X-Own: yes\n"));
}

#[test]
fn the_host_of_the_assets_stands_in_the_pages_data_too() {
    let app = App::new(&[("config/app.json", r#"{"build": {"cdn_base": "https://cdn.test/x"}}"#)]);
    let built = app.built();
    let page = String::from_utf8(built.files["public/index.html"].clone()).expect("text");
    assert!(page.contains(r#""base":"https://cdn.test/x"}</script>"#), "{page}");
    let segments = serde_json::to_string(&built.manifest().pages["/"].segments).expect("JSON");
    assert!(!segments.contains("cdn.test"), "the server fills it in: {segments}");
}

#[test]
fn tools_find_entries_in_the_shape_of_vites_manifest() {
    let app = App::new(&[
        ("config/app.json", r#"{"build": {"vite_manifest": true}}"#),
        ("app/css/app.css", "a { order: 1 }"),
        ("app/client/admin.js", "exports.init = () => import('./_late');"),
        ("app/client/_late.js", "exports.late = 1;"),
        ("app/views/admin.html", "<head><SocketStream></head>"),
    ]);
    let built = app.built();
    let vite: Value = serde_json::from_slice(&built.files["public/.vite/manifest.json"]).expect("JSON");
    let assets = built.manifest().assets;
    let file = |logical: &str| Value::from(assets[logical].file.trim_start_matches("public/"));
    let entry = &vite["app/client/app.js"];
    assert_eq!(
        (&entry["file"], &entry["isEntry"], &entry["css"][0]),
        (&file("app.js"), &true.into(), &file("app.css"))
    );
    assert_eq!(entry["imports"], serde_json::json!(["_lib.js"]));
    assert_eq!(vite["app/client/admin.js"]["imports"], serde_json::json!(["_lib.js", "app/client/app.js"]));
    let chunk = vite["app/client/admin.js"]["dynamicImports"][0].as_str().expect("a chunk");
    assert_eq!(vite[chunk]["isDynamicEntry"], true);
    assert!(built.files.contains_key(&format!("public/{}", vite[chunk]["file"].as_str().expect("a file"))));
}

#[test]
fn the_licences_of_what_was_bundled_are_listed() {
    let app = App::new(&[
        ("app/client/app.js", "require('a'); exports.init = function () { return require('@s/b/deep/x'); };"),
        ("node_modules/a/package.json", r#"{"name": "a", "version": "1.2.3", "license": "MIT"}"#),
        ("node_modules/a/index.js", "exports.a = 1;"),
        ("node_modules/a/LICENSE.md", "Do as you like.\n"),
        ("node_modules/@s/b/package.json", r#"{"name": "@s/b", "version": "2.0.0", "licenses": [{"type": "BSD"}]}"#),
        ("node_modules/@s/b/deep/x.js", "exports.b = 1;"),
        ("node_modules/look/package.json", r#"{"name": "look", "version": "3.0.0", "license": "ISC"}"#),
        ("node_modules/look/look.css", ".look { color: red }"),
        ("app/css/app.css", "@import 'look/look.css';"),
        ("node_modules/unused/package.json", r#"{"name": "unused", "license": "GPL"}"#),
    ]);
    let built = app.built();
    let file = format!("builds/{}/licenses.txt", built.manifest().build_id);
    let text = String::from_utf8(built.files[&file].clone()).expect("text");
    assert!(
        text.contains("\n@s/b 2.0.0\nLicence: BSD\n") && text.contains("\na 1.2.3\nLicence: MIT\n\nDo as you like.\n")
    );
    assert!(text.contains("\nlook 3.0.0\nLicence: ISC\n"), "{text}");
    assert!(!text.contains("unused"), "{text}");
    assert!(!App::new(&[]).built().files.keys().any(|file| file.ends_with("licenses.txt")));
}

/// `SSBUILD_WRITE_SCHEMA=1` writes it anew.
#[test]
fn the_book_has_the_manifests_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src/reference/manifest.schema.json");
    let schema = format!("{:#}\n", ssbuild_server::manifest::schema());
    if std::env::var_os("SSBUILD_WRITE_SCHEMA").is_some() {
        fs::write(&file, &schema).expect("the book can be written");
    }
    assert_eq!(fs::read_to_string(file).unwrap_or_default(), schema, "run this test with SSBUILD_WRITE_SCHEMA=1");
}
