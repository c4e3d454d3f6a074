//! The bundle format on the server, and several VMs.

use std::sync::Arc;

use serde_json::json;

use super::double::{App, Recorder, call, failure, job, on_both_carriers, on_node, session, value};
use crate::engine::{Engine, EngineError};

on_both_carriers! {
    modules_import_each_other_as_the_bundle_format_says,
    the_loader_is_gone_when_the_app_is_evaluated,
    a_bundle_that_names_no_module_is_an_error,
    a_sessions_calls_go_to_one_vm_of_many_and_start_in_order,
}

async fn modules_import_each_other_as_the_bundle_format_says() {
    let bundle = r#"
        __ss.define({
            0: [function (module, exports, require) {
                "use strict";
                require.e(exports, { actions: () => actions, answer: () => answer });
                const cjs = require.i(0), esm = require.i(1), all = require.i(3);
                let answer = 42;
                const actions = {
                    cjs: () => [cjs.default.name, cjs.name, cjs.late, Object.keys(cjs)],
                    esm: () => { esm.grow(); return [esm.count, esm.default]; },
                    plain: () => [require(0).name, require(1).count, require(1).__esModule],
                    all: () => [all.count, all.name, "default" in all],
                    dynamic: async () => { const chunk = await require.d(4); return chunk.here; },
                    meta: () => require.m,
                    builtin: () => typeof require(2).readFileSync,
                    missing: () => require(5),
                    cycle: () => require(6).seen,
                    stars: () => [require(7).one, require(7).both, "clash" in require(7)],
                };
            }, [1, 2, "fs", 3, ["c1", 4], null, 5, 7]],
            1: [function (module, exports, require) { module.exports = { name: "cjs" }; setTimeout(() => { module.exports.late = 1; }); }, []],
            2: [function (module, exports, require) {
                "use strict";
                require.e(exports, { count: () => count, grow: () => grow, default: () => "default" });
                let count = 0;
                function grow() { count++; }
            }, []],
            3: [function (module, exports, require) {
                "use strict";
                require.e(exports, {});
                require.s(exports, 0); require.s(exports, 1);
            }, [2, 1]],
            4: [function (module, exports) { "use strict"; exports.here = "chunk"; }, []],
            5: [function (module, exports, require) { exports.early = 1; exports.seen = require(0).back; }, [6]],
            6: [function (module, exports, require) { exports.back = require(0).early; }, [5]],
            7: [function (module, exports, require) { "use strict"; require.e(exports, {}); require.s(exports, 0); require.s(exports, 1); require.s(exports, 2); }, [8, 9, 10]],
            8: [function (module, exports, require) { "use strict"; require.e(exports, { one: () => 1, both: () => NaN, clash: () => "a" }); }, []],
            9: [function (module, exports, require) { "use strict"; require.e(exports, { both: () => NaN, clash: () => "b" }); }, []],
            10: [function (module, exports, require) { "use strict"; require.e(exports, { clash: () => "a" }); }, []],
        });
        __ss.start({ server: { app: 0 } }, [0]);
    "#;
    let actions = ["cjs", "esm", "plain", "all", "dynamic", "meta", "builtin", "missing", "cycle", "stars"];
    let actions: Vec<String> = actions.iter().map(|name| format!("app/{name}()")).collect();
    let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
    let (engine, _) = App::raw(bundle, &actions).start();
    assert_eq!(call(&engine, "app/esm", json!([])).await, Ok(json!([1, "default"])));
    assert_eq!(call(&engine, "app/plain", json!([])).await, Ok(json!(["cjs", 1, true])));
    assert_eq!(call(&engine, "app/all", json!([])).await, Ok(json!([1, "cjs", false])));
    assert_eq!(call(&engine, "app/dynamic", json!([])).await, Ok(json!("chunk")));
    assert_eq!(call(&engine, "app/meta", json!([])).await, Ok(json!({"url": "ss:module/0", "env": "test"})));
    let builtin = call(&engine, "app/builtin", json!([])).await;
    if on_node() {
        assert_eq!(builtin, Ok(json!("function")));
    } else {
        assert!(failure(builtin).1.contains("'fs' is a Node.js built-in"));
    }
    assert!(
        failure(call(&engine, "app/missing", json!([])).await).1.contains("it was not there when the app was built")
    );
    assert_eq!(call(&engine, "app/cycle", json!([])).await, Ok(json!(1)));
    assert_eq!(call(&engine, "app/stars", json!([])).await, Ok(json!([1, null, false])));
    let cjs = call(&engine, "app/cjs", json!([])).await.unwrap();
    assert_eq!((&cjs[0], &cjs[1], &cjs[3]), (&json!("cjs"), &json!("cjs"), &json!(["name", "default"])));
}

async fn the_loader_is_gone_when_the_app_is_evaluated() {
    let app = App::new(
        &[(
            "app",
            "const then = typeof __ss; exports.actions = { now: () => [then, typeof __ss, 'R' in globalThis] };",
        )],
        &["app/now()"],
    );
    let (engine, _) = app.start();
    assert_eq!(call(&engine, "app/now", json!([])).await, Ok(json!(["undefined", "undefined", true])));
}

async fn a_bundle_that_names_no_module_is_an_error() {
    let (result, _) = App::raw("__ss.define({}); __ss.start({}, [7]);", &[]).try_start();
    assert!(matches!(result, Err(EngineError::Load { message, .. }) if message == "module 7 is not in the bundle"));
    let (result, _) = App::raw("__ss.define({}); __ss.start({}, []); __ss.start({}, []);", &[]).try_start();
    assert!(matches!(result, Err(EngineError::Load { message, .. }) if message == "the bundle starts twice"));
}

async fn a_sessions_calls_go_to_one_vm_of_many_and_start_in_order() {
    let app = App::new(
        &[(
            "app",
            "let count = 0; const order = [];
            exports.actions = {
                count: () => ++count,
                order(n) { order.push(n); },
                list: () => order,
            };",
        )],
        &["app/count()", "app/order(n)", "app/list()"],
    );
    let host = Arc::new(Recorder::default());
    let engine = Engine::start_workers(app.program, &app.limits, host, 2).expect("the app loads");
    let count = async |key| value(engine.call(job("app/count", &json!([]), Some(session(key, None)))).await);
    for (key, expected) in [(1, 1), (1, 2), (2, 1), (3, 3), (2, 2), (4, 3)] {
        assert_eq!(count(key).await, Ok(json!(expected)), "session {key}");
    }
    let calls = (0..50).map(|n| engine.call(job("app/order", &json!([n]), Some(session(1, None)))));
    futures_util::future::join_all(calls).await;
    let order = value(engine.call(job("app/list", &json!([]), Some(session(1, None)))).await);
    assert_eq!(order, Ok(json!((0..50).collect::<Vec<_>>())));
}
