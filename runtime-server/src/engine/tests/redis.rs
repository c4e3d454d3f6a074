//! `R`: what server code writes becomes commands, and what Redis answers comes back as node_redis gave it.

use serde_json::json;

use super::double::{App, call, failure, on_both_carriers};

on_both_carriers! {
    commands_take_lists_objects_callbacks_and_promises,
    without_a_redis_its_use_is_an_error_that_says_so,
}

async fn commands_take_lists_objects_callbacks_and_promises() {
    let mut app = App::new(
        &[(
            "app",
            "exports.actions = {
                async promise() { return R.get('key'); },
                callback(cb) { R.set('key', 7, (error, answer) => cb([error, answer])); },
                async many() {
                    R.hmset('user', { name: 'ann', age: 42 });
                    R.mget(['a', 'b'], 'c');
                    R.sadd('set', [1, 2n, true]);
                    R.send_command('object', ['freq', 'key']);
                    R.on('error', () => {}).set('when', new Date(0));
                    return R.PING();
                },
                async wrong() { return R.set('key', null); },
            };",
        )],
        &["app/promise()", "app/callback() cb", "app/many()", "app/wrong()"],
    );
    app.program.config["redis"] = json!({"url": "redis://localhost"});
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "app/promise", json!([])).await, Ok(json!({"asked": 2})));
    assert_eq!(call(&engine, "app/callback", json!([])).await, Ok(json!([null, {"asked": 3}])));
    assert_eq!(call(&engine, "app/many", json!([])).await, Ok(json!({"asked": 1})));
    let words = [
        json!(["redis", ["get", "key"]]),
        json!(["redis", ["set", "key", "7"]]),
        json!(["redis", ["hmset", "user", "name", "ann", "age", "42"]]),
        json!(["redis", ["mget", "a", "b", "c"]]),
        json!(["redis", ["sadd", "set", "1", "2", "true"]]),
        json!(["redis", ["object", "freq", "key"]]),
        json!(["redis", ["set", "when", "1970-01-01T00:00:00.000Z"]]),
        json!(["redis", ["PING"]]),
    ];
    assert_eq!(host.asked.lock().split_off(0), words);
    let (code, message) = failure(call(&engine, "app/wrong", json!([])).await);
    assert_eq!(
        (code, message.as_str()),
        ("action_error", "R.set: an argument is null; Redis takes strings and numbers")
    );
}

async fn without_a_redis_its_use_is_an_error_that_says_so() {
    let app = App::new(&[("app", "exports.actions = { async get() { return R.get('key'); } };")], &["app/get()"]);
    let (engine, _) = app.start();
    let (code, message) = failure(call(&engine, "app/get", json!([])).await);
    assert_eq!(code, "action_error");
    assert_eq!(message, "R is a Redis client, and no Redis is configured: set redis.url or redis.host");
}
