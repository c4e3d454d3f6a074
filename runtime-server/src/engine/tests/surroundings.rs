//! `SS` and the globals.

use serde_json::json;

use super::double::{App, call, call_as_ann, failure, on_both_carriers};

on_both_carriers! {
    publish_reaches_the_host_in_order_and_checks_its_arguments,
    ss_says_what_the_build_is_and_who_is_online,
    server_code_calls_actions_with_and_without_context,
}

async fn publish_reaches_the_host_in_order_and_checks_its_arguments() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                all() {
                    SS.publish.broadcast('a', { x: 1 });
                    SS.publish.broadcast('b');
                    SS.publish.channel('disney', 'c', 0);
                    SS.publish.channels(['disney', 'kids'], 'd', null);
                    SS.publish.user('ann', 'e', 'text');
                    SS.publish.users(['ann', 42], 'f', [1]);
                    SS.publish.socket(7, 'g', true);
                    SS.publish.broadcast('h', 1, { conflate: true });
                    SS.publish.channel('c', 'i', undefined, { conflate: 'acme' });
                    SS.publish.socket(7, 'j', null, { conflate: 5 });
                    SS.publish.user('ann', 'k', 1, { conflate: false });
                    return 'done';
                },
                wrong(n) {
                    const tries = [
                        () => SS.publish.broadcast(1, 2),
                        () => SS.publish.channel('x', undefined, 2),
                        () => SS.publish.user({}, 'x', 2),
                        () => SS.publish.socket('7', 'x', 2),
                        () => SS.publish.broadcast('x', 1, { conflate: {} }),
                        () => SS.publish.broadcast('x', new Map()),
                        () => SS.publish.broadcast('x', 'y'.repeat(5 * 1024 * 1024)),
                    ];
                    tries[n]();
                },
            };",
        )],
        &["app/all()", "app/wrong(n)"],
    );
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "app/all", json!([])).await, Ok(json!("done")));
    let published = [
        json!(["publish", "Broadcast", "a", {"x": 1}]),
        json!(["publish", "Broadcast", "b", "undefined"]),
        json!(["publish", "Channels([\"disney\"])", "c", 0]),
        json!(["publish", "Channels([\"disney\", \"kids\"])", "d", null]),
        json!(["publish", "Users([\"ann\"])", "e", "text"]),
        json!(["publish", "Users([\"ann\", \"42\"])", "f", [1]]),
        json!(["publish", "Socket(7)", "g", true]),
        json!(["publish", "Broadcast", "h", 1, ""]),
        json!(["publish", "Channels([\"c\"])", "i", "undefined", "acme"]),
        json!(["publish", "Socket(7)", "j", null, "5"]),
        json!(["publish", "Users([\"ann\"])", "k", 1]),
    ];
    assert_eq!(host.asked.lock().split_off(0), published);
    for (n, text) in [
        (0, "Event Name (first argument) must be a string"),
        (1, "Event Name (second argument) must be a string"),
        (2, "User ID (first argument) must be a string or an array of strings"),
        (3, "Connection (first argument) must be a connection's number"),
        (4, "conflate must be true, a string or a number"),
        (5, "params is a Map, which JSON has no form for"),
        (6, "params are longer than limits.answer_bytes (4194304)"),
    ] {
        assert_eq!(failure(call(&engine, "app/wrong", json!([n])).await).1, text);
    }
    assert_eq!(host.asked.lock().len(), 0);
}

async fn ss_says_what_the_build_is_and_who_is_online() {
    let app = App::with(
        &[(
            "app",
            "exports.actions = {
                about() { return [SS.env, SS.version, SS.config, Object.isFrozen(SS.config.deep.list)]; },
                online(cb) { SS.users.online.now(cb); },
                async promised() { return SS.users.online.now(); },
                shared() { return SS.shared.calculate.square(5) + SS.shared.geo['to-rad'].half(8) + SS.shared.geo.toRad.half(2); },
                redis() { return R.get('x'); },
                frozen() { 'use strict'; SS.env = 'x'; },
            };",
        )],
        &[
            ("calculate", "exports.square = (n) => n * n;"),
            ("geo/to-rad", "module.exports = { half: (n) => n / 2 };"),
        ],
        &[],
        &["app/about()", "app/online() cb", "app/promised()", "app/shared()", "app/redis()", "app/frozen()"],
    );
    let (engine, _) = app.start();
    let about = json!(["test", "0.1.0", {"title": "Test", "deep": {"list": [1, 2]}}, true]);
    assert_eq!(call(&engine, "app/about", json!([])).await, Ok(about));
    assert_eq!(call(&engine, "app/online", json!([])).await, Ok(json!(["ann", "bob"])));
    assert_eq!(call(&engine, "app/promised", json!([])).await, Ok(json!(["ann", "bob"])));
    assert_eq!(call(&engine, "app/shared", json!([])).await, Ok(json!(30)));
    assert!(failure(call(&engine, "app/redis", json!([])).await).1.contains("no Redis is configured"));
    assert_eq!(failure(call(&engine, "app/frozen", json!([])).await).0, "action_error");
}

async fn server_code_calls_actions_with_and_without_context() {
    let app = App::new(
        &[
            (
                "app",
                "exports.actions = {
                    async plain() { return SS.server.other.who('x'); },
                    carried() { return SS.server.other.who.call(this, 'x'); },
                    callback(cb) { SS.server.other.add(1, 2, cb); },
                    async awaited() { return SS.server.other.add(3, 4); },
                    valueWithCallback(cb) { SS.server.other.who('y', cb); },
                    async guardedFree() { return SS.server.guarded.secret(); },
                    async guarded() { return SS.server.guarded.secret.call(this); },
                    async failing() { try { await SS.server.other.fail(); } catch (error) { return error.message; } },
                };",
            ),
            (
                "other",
                "exports.actions = {
                    who(x) { return [x, this.session && this.session.id, this.request.origin]; },
                    add: (a, b, cb) => cb(a + b),
                    fail() { throw new Error('broken'); },
                };",
            ),
            ("guarded", "exports.authenticate = true; exports.actions = { secret: () => 'secret' };"),
        ],
        &[
            "app/plain()",
            "app/carried()",
            "app/callback() cb",
            "app/awaited()",
            "app/valueWithCallback() cb",
            "app/guardedFree()",
            "app/guarded()",
            "app/failing()",
            "other/who(x)",
            "other/add(a, b) cb",
            "other/fail()",
            "guarded/secret() guard",
        ],
    );
    let (engine, _) = app.start();
    assert_eq!(call_as_ann(&engine, "app/plain", json!([])).await, Ok(json!(["x", null, "server"])));
    assert_eq!(call_as_ann(&engine, "app/carried", json!([])).await, Ok(json!(["x", "session-3", "socket"])));
    assert_eq!(call(&engine, "app/callback", json!([])).await, Ok(json!(3)));
    assert_eq!(call(&engine, "app/awaited", json!([])).await, Ok(json!(7)));
    assert_eq!(call(&engine, "app/valueWithCallback", json!([])).await, Ok(json!(["y", null, "server"])));
    assert_eq!(call(&engine, "app/guardedFree", json!([])).await, Ok(json!("secret")));
    assert_eq!(call_as_ann(&engine, "app/guarded", json!([])).await, Ok(json!("secret")));
    let refused = failure(call(&engine, "app/guarded", json!([])).await);
    assert_eq!(refused, ("not_authenticated", "You have to log in first".to_owned()));
    assert_eq!(call(&engine, "app/failing", json!([])).await, Ok(json!("broken")));
}
