//! The runtime client as apps get it.

use crate::app::App;

/// 6 kB, the loader included.
const BROTLI_BYTES_MAX: u64 = 6_000;

#[test]
fn what_a_browser_gets_of_the_client_is_small() {
    let built = App::new(&[]).built();
    let lib = &built.manifest().assets["lib.js"];
    let brotli = lib.encodings.values().find(|encoded| encoded.file.ends_with(".br")).expect("brotli is written");
    assert!(brotli.bytes > 1_000, "there is nothing in the bundle");
    assert!(brotli.bytes <= BROTLI_BYTES_MAX, "{} bytes are more than {BROTLI_BYTES_MAX}", brotli.bytes);
}

#[test]
fn what_helps_authors_is_in_pages_of_authors_only() {
    let app = App::new(&[]);
    // The overlay's element, the note of a reload, the swap of a module.
    for word in ["ss-overlay", "ss-reload", ".commit="] {
        let development = app.built_for("development").asset("lib.js").replace(' ', "");
        assert!(development.contains(word), "{word}");
        assert!(!app.built().asset("lib.js").contains(word), "{word}");
    }
}

#[test]
fn exports_for_hot_swaps_are_not_deployed() {
    let app = App::new(&[
        (
            "app/client/common.js",
            "exports.value = function () { return 1; };\nexports.hot = function () { hotCode(); };\nexports.dispose = function () { disposeCode(); };\n",
        ),
        (
            "app/client/es.ts",
            "let n = 0;\nfunction onlyForHot() { hotCode(); }\nexport const value = () => n;\nexport function hot(previous: { value(): number }) { onlyForHot(); n = previous.value(); }\nexport function dispose(): void { disposeCode(); }\n",
        ),
        ("app/client/named.js", "const carry = () => hotCode();\nexport const other = 1;\nexport { carry as hot };\n"),
        (
            "app/shared/whole.js",
            "module.exports = { value: 1, hot: function () { hotCode(); }, dispose() { disposeCode(); } };\n",
        ),
    ]);
    for name in ["hotCode", "disposeCode"] {
        assert!(app.built_for("development").asset("app.js").contains(name), "{name}");
        let deployed = app.built();
        assert!(!deployed.asset("app.js").contains(name), "{name} in\n{}", deployed.asset("app.js"));
        assert!(!deployed.server().contains(name), "{name} in\n{}", deployed.server());
    }
    let (deployed, said) = app.built_saying("production");
    assert_eq!(said, "");
    for value in ["value", "other"] {
        assert!(deployed.asset("app.js").contains(value), "{value}");
    }
}
