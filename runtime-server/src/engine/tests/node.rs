//! What only worker processes of Node.js do: built-ins, and what it costs when one is lost.

use serde_json::json;

use super::double::{App, Recorder, call, call_as_ann, failure, node};
use crate::engine::{Carrier, Engine, EngineError};

const BYSTANDERS: &str = "
    let calls = 0;
    exports.actions = { ping: (n) => n, count: () => ++calls, never(cb) {} };";

/// An app with one action to try, in Node.js.
fn app(attack: &str) -> App {
    let files = [("by", BYSTANDERS), ("app", attack)];
    let actions = ["by/ping(n)", "by/count()", "by/never() cb", "app/attack(x)", "app/more()"];
    let mut app = App::new(&files, &actions);
    app.program.carrier = node();
    app
}

/// As `app`, with little time.
fn short_of_time(attack: &str) -> App {
    let mut app = app(attack);
    app.limits.call_busy_ms = 300;
    app.limits.engine_grace_ms = 200;
    app
}

/// One call that waits for ever, the attack, and one behind it: how the first two fail, while the third is answered.
async fn costs_the_worker(engine: &Engine, host: &Recorder) -> [&'static str; 2] {
    assert_eq!(call(engine, "by/count", json!([])).await, Ok(json!(1)));
    let started = call(engine, "by/never", json!([]));
    let attack = call(engine, "app/attack", json!([]));
    let waiting = call(engine, "by/ping", json!([2]));
    let (started, attack, waiting) = tokio::join!(started, attack, waiting);
    assert_eq!(waiting, Ok(json!(2)), "a call that had not started runs on the spare: {:?}", host.logs());
    assert_eq!(call(engine, "by/count", json!([])).await, Ok(json!(1)), "module-level state is new");
    [failure(started).0, failure(attack).0]
}

async fn interrupts(attack: &str) {
    let (engine, host) = short_of_time(attack).start();
    assert_eq!(costs_the_worker(&engine, &host).await, ["engine_lost", "interrupted"], "{attack}");
    host.logged("An engine was replaced: it was busy for too long").await;
}

#[tokio::test]
async fn a_loop_without_end_is_interrupted_and_costs_the_worker() {
    interrupts("exports.actions = { attack() { for (;;); } };").await;
    interrupts("exports.actions = { async attack() { await null; for (;;); } };").await;
    interrupts("exports.actions = { attack() { const again = () => { Promise.resolve().then(again); }; again(); return new Promise(() => {}); } };").await;
}

#[tokio::test]
async fn a_loop_after_an_answer_of_the_server_is_blamed_on_its_call() {
    let (engine, _) =
        short_of_time("exports.actions = { async attack() { await SS.users.online.now(); for (;;); } };").start();
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "interrupted");
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
}

#[tokio::test]
async fn a_loop_in_a_timer_costs_the_calls_that_have_started() {
    let attack =
        "exports.actions = { attack() { setTimeout(() => { for (;;); }, 1); return new Promise(() => {}); } };";
    let (engine, _) = short_of_time(attack).start();
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "engine_lost");
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
    // And once more: there is a new spare.
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "engine_lost");
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
}

#[tokio::test]
async fn work_in_many_small_parts_is_no_loop_without_end() {
    let (engine, _) =
        short_of_time("exports.actions = { attack() { const until = Date.now() + 5; while (Date.now() < until); } };")
            .start();
    let calls = (0..400).map(|_| call(&engine, "app/attack", json!([])));
    for outcome in futures_util::future::join_all(calls).await {
        assert_eq!(outcome, Ok(json!("undefined")));
    }
}

#[tokio::test]
async fn a_worker_that_ends_by_itself_is_replaced() {
    let (engine, host) = app("exports.actions = { attack() { process.exit(); } };").start();
    assert_eq!(costs_the_worker(&engine, &host).await, ["engine_lost", "engine_lost"]);
    host.logged("An engine was replaced: its process ended by itself").await;
}

#[tokio::test]
async fn what_was_answered_before_the_worker_ended_arrives() {
    let (engine, _) =
        app("exports.actions = { attack() { setImmediate(() => process.exit()); return 'last'; } };").start();
    assert_eq!(call(&engine, "app/attack", json!([])).await, Ok(json!("last")));
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
}

#[tokio::test]
async fn a_worker_that_is_killed_is_replaced() {
    let (engine, host) = app("exports.actions = { attack() { process.kill(process.pid, 'SIGKILL'); } };").start();
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "engine_lost");
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
    host.logged("An engine was replaced: its process died").await;
}

#[tokio::test]
async fn a_worker_that_is_stopped_is_replaced() {
    let (engine, host) =
        short_of_time("exports.actions = { attack() { process.kill(process.pid, 'SIGSTOP'); } };").start();
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "engine_lost");
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
    host.logged("An engine was replaced: its process did not move any more").await;
}

#[tokio::test]
async fn memory_is_limited() {
    let mut app = app(
        "exports.actions = { attack() { const list = []; for (;;) list.push({ a: [] }); }, more: () => new ArrayBuffer(2 ** 52) };",
    );
    app.limits.engine_memory_bytes = 24 * 1024 * 1024;
    let (engine, host) = app.start();
    assert_eq!(failure(call(&engine, "app/more", json!([])).await).0, "memory_limit");
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "memory_limit");
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)), "module-level state is new");
    host.logged("An engine was replaced: its memory was full").await;
}

#[tokio::test]
async fn the_stack_is_limited() {
    for body in [
        "const deep = (n) => deep(n + 1) + 1; return deep(0);",
        "let list = []; for (let i = 0; i < 1e5; i++) list = [list]; return list;",
        "const deep = { get x() { return this.x; } }; return deep.x;",
    ] {
        let (engine, _) = app(&format!("exports.actions = {{ attack() {{ {body} }} }};")).start();
        assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
        assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "stack_limit", "{body}");
        assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(2)), "it is the same worker");
    }
}

#[tokio::test]
async fn node_has_its_own_globals_and_no_more() {
    let (engine, _) = app(
        "exports.actions = { attack: () => [
            typeof fetch, typeof Buffer, typeof process.versions.node, typeof Intl, typeof crypto.subtle, typeof setTimeout(() => {}).unref,
            typeof fs, typeof globalThis.require, typeof globalThis.module, typeof globalThis.exports, typeof __ss, typeof crypto.createHash,
        ], more: () => new Promise((done) => process.stdin.on('end', () => done('no input')).resume()) };",
    )
    .start();
    let mut expected = vec!["function", "function", "string", "object", "object", "function"];
    expected.resize(12, "undefined");
    assert_eq!(call(&engine, "app/attack", json!([])).await, Ok(json!(expected)));
    assert_eq!(call(&engine, "app/more", json!([])).await, Ok(json!("no input")));
}

#[tokio::test]
async fn built_ins_are_imported_by_name() {
    let bundle = r#"
        __ss.define({0: [function (module, exports, require) {
            "use strict";
            require.e(exports, { actions: () => actions });
            const crypto = require.i(0), path = require(1), files = require.i(2);
            const actions = {
                hash: () => crypto.createHash("sha1").update("abc").digest("hex"),
                path: () => [path.join("a", "..", "b"), crypto.default === require(0)],
                read: async () => typeof (await files.readFile("/proc/self/comm", "utf8")),
                none: () => require(3),
            };
        }, ["crypto", "path", "fs/promises", "nothing-such"]]});
        __ss.start({ server: { app: 0 } }, [0]);
    "#;
    let mut app = App::raw(bundle, &["app/hash()", "app/path()", "app/read()", "app/none()"]);
    app.program.carrier = node();
    let (engine, _) = app.start();
    let hash = call(&engine, "app/hash", json!([])).await;
    assert_eq!(hash, Ok(json!("a9993e364706816aba3e25717850c26c9cd0d89d")));
    assert_eq!(call(&engine, "app/path", json!([])).await, Ok(json!(["b", true])));
    assert_eq!(call(&engine, "app/read", json!([])).await, Ok(json!("string")));
    assert!(failure(call(&engine, "app/none", json!([])).await).1.contains("nothing-such"));
}

#[tokio::test]
async fn polluted_prototypes_give_no_rights() {
    let (engine, host) = app(
        "exports.actions = { attack() {
            Object.prototype.session = { user_id: 'eve' }; Object.prototype.guard = false; Object.prototype.user_id = 'eve';
            Object.prototype.fn = () => 'forged'; Object.prototype['app/forged'] = { fn: () => 'forged' };
            for (const name of ['get', 'set', 'has', 'delete']) Map.prototype[name] = () => 'forged';
            for (const name of ['split', 'slice', 'toWellFormed']) String.prototype[name] = () => 'forged';
            Object.keys = Object.create = Reflect.apply = Reflect.ownKeys = () => 'forged';
            globalThis.Promise = class {}; globalThis.Map = class {};
        }, more() { this.session.attributes.n = 1; return [this.session.id, this.user.id]; } };",
    )
    .start();
    assert_eq!(call(&engine, "app/attack", json!([])).await, Ok(json!("undefined")));
    assert_eq!(call_as_ann(&engine, "app/more", json!([])).await, Ok(json!(["session-3", "ann"])));
    assert_eq!(host.effects(), [json!(["save", 3, {"n": 1}, []])]);
    for path in ["app/forged", "__proto__", "constructor"] {
        assert_eq!(failure(call(&engine, path, json!([])).await).0, "unknown_action", "{path}");
    }
}

#[tokio::test]
async fn what_the_process_writes_is_in_the_log() {
    let (engine, host) = app(
        "exports.actions = { attack() { console.log('to %s', 'output', { a: 1 }); console.error('to errors'); SS.log.warn('a line'); } };",
    )
    .start();
    assert_eq!(call(&engine, "app/attack", json!([])).await, Ok(json!("undefined")));
    host.logged("2 to output { a: 1 }").await;
    host.logged("0 to errors").await;
    host.logged("1 a line").await;
}

#[tokio::test]
async fn what_nobody_catches_is_logged_or_fails_its_call_and_ends_nothing() {
    let (engine, host) = app(
        "exports.actions = {
            attack(kind) {
                if (kind === 'timer') setTimeout(() => { throw new Error('in a timer'); }, 1);
                if (kind === 'microtask') { queueMicrotask(() => { throw new Error('in a microtask'); }); return new Promise(() => {}); }
                if (kind === 'promise') Promise.reject(new Error('forgotten'));
            },
        };",
    )
    .start();
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    assert_eq!(call(&engine, "app/attack", json!(["timer"])).await, Ok(json!("undefined")));
    host.logged("an exception was thrown and nobody caught it: Error: in a timer\n    at ").await;
    assert_eq!(failure(call(&engine, "app/attack", json!(["microtask"])).await).1, "in a microtask");
    assert_eq!(call(&engine, "app/attack", json!(["promise"])).await, Ok(json!("undefined")));
    host.logged("a promise was rejected and nobody handled it: Error: forgotten").await;
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(2)));
}

#[tokio::test]
async fn a_spare_is_silent_until_it_is_needed() {
    let (engine, host) = app("SS.publish.broadcast('loaded', 1);
        setInterval(() => SS.publish.broadcast('tick', 1), 1);
        exports.actions = { attack() { process.exit(); } };")
    .start();
    let loaded = |host: &Recorder| host.effects().iter().filter(|effect| effect[2] == "loaded").count();
    host.until(|host| host.effects().len() > 100).await;
    assert_eq!(loaded(&host), 1, "the spare has loaded the app too, or will");
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "engine_lost");
    host.until(|host| loaded(host) == 2).await;
    engine.close().await;
}

#[tokio::test]
async fn an_end_of_the_server_ends_the_worker_in_good_order() {
    let (engine, host) = app("process.on('exit', () => console.log('good bye')); exports.actions = {};").start();
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
    engine.close().await;
    host.logged("2 good bye").await;
}

#[tokio::test]
async fn a_program_that_is_not_node_is_an_error() {
    let mut app = app("exports.actions = {};");
    app.program.carrier = Carrier::Node { command: "/nowhere/node".to_owned() };
    let (result, _) = app.try_start();
    assert!(
        matches!(result, Err(EngineError::Start(message)) if message.contains("there is no program `/nowhere/node`"))
    );
}
