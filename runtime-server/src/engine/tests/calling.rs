//! How actions are called and how they answer.

use serde_json::json;

use super::double::{App, call, failure, on_both_carriers};

on_both_carriers! {
    a_callback_stands_at_its_index_and_a_value_answers,
}

async fn a_callback_stands_at_its_index_and_a_value_answers() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                square: function (number, cb) { cb(number * number); },
                two: (a, b, cb) => cb([a === undefined, b === undefined, typeof cb]),
                value: (a, b) => a + b,
                later: async (a) => { await null; return a; },
                timer: (cb) => setTimeout(() => cb('done'), 1),
                nothing: () => {},
                nested: { deep: { er: () => 'deep' } },
                rest: (...all) => all.length,
                *steps() { yield 1; },
                async *later_steps() { yield 1; },
                date: () => ({ at: new Date(0), skip: undefined, fn() {} }),
            };",
        )],
        &[
            "app/square(number) cb",
            "app/two(a, b) cb",
            "app/value(a, b)",
            "app/later(a)",
            "app/timer() cb",
            "app/nothing()",
            "app/nested/deep/er()",
            "app/rest(...all)",
            "app/date()",
            "app/steps()",
            "app/later_steps()",
            "app/gone()",
        ],
    );
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "app/square", json!([25])).await, Ok(json!(625)));
    assert_eq!(call(&engine, "app/two", json!([])).await, Ok(json!([true, true, "function"])));
    assert_eq!(call(&engine, "app/two", json!([0, null, "too", "many"])).await, Ok(json!([false, false, "function"])));
    assert_eq!(call(&engine, "app/value", json!([1, 2])).await, Ok(json!(3)));
    assert_eq!(call(&engine, "app/later", json!([{"a": "ü\u{1F600}"}])).await, Ok(json!({"a": "ü\u{1F600}"})));
    assert_eq!(call(&engine, "app/timer", json!([])).await, Ok(json!("done")));
    assert_eq!(call(&engine, "app/nothing", json!([])).await, Ok(json!("undefined")));
    assert_eq!(call(&engine, "app/nested/deep/er", json!([])).await, Ok(json!("deep")));
    assert_eq!(call(&engine, "app/rest", json!([1, 2, 3])).await, Ok(json!(3)));
    assert_eq!(call(&engine, "app/date", json!([])).await, Ok(json!({"at": "1970-01-01T00:00:00.000Z"})));
    for action in ["app/steps", "app/later_steps"] {
        let (code, message) = failure(call(&engine, action, json!([])).await);
        assert_eq!((code, message.contains("is a generator")), ("not_serializable", true), "{message}");
    }
    assert_eq!(failure(call(&engine, "app/gone", json!([])).await).0, "unknown_action");
    assert_eq!(failure(call(&engine, "app/never", json!([])).await).0, "unknown_action");
    assert_eq!(failure(call(&engine, "app/value", json!({"0": 1})).await).0, "bad_request");
    assert!(host.logs()[0].contains("app/gone of the manifest is not a function"));
    engine.close().await;
    assert_eq!(failure(call(&engine, "app/nothing", json!([])).await).0, "shutting_down");
}
