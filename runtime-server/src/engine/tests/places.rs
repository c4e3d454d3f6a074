//! Stacks name the app's own files, in what callers are told and in the log.

use std::io::Write as _;

use serde_json::json;

use super::double::{App, call, on_both_carriers};

on_both_carriers! {
    stacks_name_the_sources,
}

async fn stacks_name_the_sources() {
    let mut app = App::new(
        &[(
            "app",
            "exports.actions = { fail() { throw new Error('x'); }, late() { setTimeout(() => { throw new Error('y'); }, 1); } };",
        )],
        &["app/fail()", "app/late()"],
    );
    // The app's one file is the second line of the bundle.
    let mut map = tempfile::NamedTempFile::new().unwrap();
    map.write_all(br#"{"version": 3, "sources": ["app/server/app.js"], "mappings": ";AAAA"}"#).unwrap();
    app.program.map = Some(map.path().to_owned());
    let (engine, host) = app.start();
    let stack = call(&engine, "app/fail", json!([])).await.unwrap_err().stack.unwrap();
    assert!(stack.starts_with("Error: x\n") && stack.contains("app/server/app.js:1:1"), "{stack}");
    assert!(!stack.contains("server.js:2"), "{stack}");
    assert_eq!(call(&engine, "app/late", json!([])).await, Ok(json!("undefined")));
    host.logged("app/server/app.js:1:1").await;
}
