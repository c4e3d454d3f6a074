//! What a hostile or broken action costs: its own call, at worst its VM, and nobody else.

use serde_json::json;

use super::double::{App, Recorder, call, call_as_ann, failure, on_both_carriers};
use crate::engine::{Call, Engine};

on_both_carriers! {
    time_is_limited_and_late_answers_are_logged,
    a_call_whose_caller_goes_away_is_forgotten,
    questions_of_a_script_are_limited_and_keep_no_call_out,
    answers_are_limited_in_size,
    waiting_calls_are_limited_in_number,
}

const BYSTANDERS: &str = "
    let calls = 0;
    exports.actions = {
        ping: (n) => n,
        async slow(n) { await new Promise((resolve) => setTimeout(resolve, 5)); return n; },
        count: () => ++calls,
        never(cb) {},
    };";

const BYSTANDING: [&str; 4] = ["by/ping(n)", "by/slow(n)", "by/count()", "by/never() cb"];

fn app(attack: &str) -> App {
    App::new(&[("by", BYSTANDERS), ("app", attack)], &[&BYSTANDING[..], &["app/attack()", "app/more(x)"]].concat())
}

/// An app whose attack ends by the clock.
fn short_of_time(attack: &str) -> App {
    let mut app = app(attack);
    app.limits.call_busy_ms = 100;
    app
}

/// The attack's failure, while others' calls that come before, during and after it are answered.
async fn attacked(engine: &Engine) -> (&'static str, String) {
    let before = call(engine, "by/slow", json!([1]));
    let attack = call(engine, "app/attack", json!([]));
    let during = call(engine, "by/ping", json!([2]));
    let (before, attack, during) = tokio::join!(before, attack, during);
    assert_eq!(before, Ok(json!(1)));
    assert_eq!(during, Ok(json!(2)));
    assert_eq!(call(engine, "by/slow", json!([3])).await, Ok(json!(3)));
    failure(attack)
}

async fn still_the_same_vm(engine: &Engine) {
    assert_eq!(call(engine, "by/count", json!([])).await, Ok(json!(2)));
}

async fn interrupts(attack: &str) {
    let (engine, _) = short_of_time(attack).start();
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    assert_eq!(attacked(&engine).await.0, "interrupted", "{attack}");
    still_the_same_vm(&engine).await;
}

#[tokio::test]
async fn embedded_an_endless_loop_is_interrupted() {
    for body in [
        "while (true) {}",
        "for (;;) { try { while (true) {} } catch { } finally { while (true) {} } }",
        "/^(a+)+$/.test('a'.repeat(40) + 'b')",
        "const list = []; for (let i = 0; i < 3e6; i++) list.push(-i); list.sort(() => 0.5 - Math.random())",
        "JSON.stringify({ toJSON() { while (true) {} } })",
        "new Proxy({}, { get() { while (true) {} } }).x",
    ] {
        interrupts(&format!("exports.actions = {{ attack() {{ {body} }} }};")).await;
    }
}

#[tokio::test]
async fn embedded_an_endless_loop_after_an_await_is_interrupted() {
    for body in [
        "async attack() { await null; while (true) {} }",
        "async attack() { await new Promise((resolve) => setTimeout(resolve, 1)); while (true) {} }",
        "attack() { return new Promise(() => setTimeout(() => { while (true) {} }, 1)); }",
        "async attack() { await SS.users.online.now(); while (true) {} }",
        "attack() { return Promise.reject(1).catch(() => { while (true) {} }); }",
        "attack: () => ({ toJSON() { while (true) {} } })",
        "attack: () => ({ then() { while (true) {} } })",
    ] {
        interrupts(&format!("exports.actions = {{ {body} }};")).await;
    }
}

#[tokio::test]
async fn embedded_microtasks_without_end_cost_their_vm() {
    let (engine, host) = short_of_time(
        "const again = () => { Promise.resolve().then(again); };
        exports.actions = { attack() { for (let i = 0; i < 100; i++) again(); return new Promise(() => {}); } };",
    )
    .start();
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    let attack = call(&engine, "app/attack", json!([]));
    let after = call(&engine, "by/ping", json!([2]));
    let (attack, after) = tokio::join!(attack, after);
    assert_eq!(failure(attack).0, "interrupted");
    assert_eq!(after, Ok(json!(2)), "a call that had not started runs on the spare");
    host.logged("An engine was replaced: its microtasks did not end").await;
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)), "module-level state is new");
}

#[tokio::test]
async fn embedded_native_code_that_cannot_be_interrupted_costs_its_vm() {
    let mut app = short_of_time("exports.actions = { attack() { 'a'.repeat(8e4).indexOf('a'.repeat(4e4) + 'b'); } };");
    app.limits.engine_grace_ms = 200;
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    let started = call(&engine, "by/never", json!([]));
    let attack = call(&engine, "app/attack", json!([]));
    let waiting = call(&engine, "by/ping", json!([2]));
    let (started, attack, waiting) = tokio::join!(started, attack, waiting);
    assert_eq!(failure(started).0, "engine_lost");
    assert_eq!(failure(attack).0, "interrupted");
    assert_eq!(waiting, Ok(json!(2)));
    host.logged("An engine was replaced: it was busy with native code").await;
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    // And once more: there is a new spare.
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "interrupted");
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
}

#[tokio::test]
async fn embedded_memory_is_limited() {
    for body in [
        "const list = []; for (;;) list.push(new Array(1000).fill(1));",
        "const list = []; for (;;) list.push({ a: {} });",
        "let text = 'x'; for (;;) text = [text, text].join('');",
        "return new Uint8Array(1e9);",
        "return (async () => { await null; const list = []; for (;;) list.push({ a: [] }); })();",
        "const text = 'x'.repeat(1e6); const all = []; for (let i = 0; i < 100; i++) all.push(text); return all;",
    ] {
        let mut app = app(&format!("exports.actions = {{ attack() {{ {body} }} }};"));
        app.limits.engine_memory_bytes = 24 * 1024 * 1024;
        let (engine, _) = app.start();
        assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
        let (code, message) = attacked(&engine).await;
        assert_eq!(code, "memory_limit", "{message}: {body}");
        still_the_same_vm(&engine).await;
    }
}

#[tokio::test]
async fn embedded_memory_that_stays_full_costs_the_vm() {
    let mut app = app("globalThis.kept = [];
        exports.actions = { attack() { for (;;) globalThis.kept.push({ a: [1] }); } };");
    app.limits.engine_memory_bytes = 24 * 1024 * 1024;
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
    assert_eq!(failure(call(&engine, "app/attack", json!([])).await).0, "memory_limit");
    assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)), "module-level state is new");
    host.logged("An engine was replaced: its memory stayed full").await;
}

#[tokio::test]
async fn embedded_the_stack_is_limited() {
    for body in [
        "const deep = (n) => deep(n + 1) + 1; return deep(0);",
        "let list = []; for (let i = 0; i < 1e5; i++) list = [list]; return list;",
        "const deep = { toJSON() { return [deep]; } }; return deep;",
        "const deep = { get x() { return this.x; } }; return deep.x;",
        "return JSON.parse('['.repeat(1e5));",
    ] {
        let (engine, _) = app(&format!("exports.actions = {{ attack() {{ {body} }} }};")).start();
        assert_eq!(call(&engine, "by/count", json!([])).await, Ok(json!(1)));
        assert_eq!(attacked(&engine).await.0, "stack_limit", "{body}");
        still_the_same_vm(&engine).await;
    }
}

#[tokio::test]
async fn embedded_deep_recursion_of_async_functions_ends_the_call_only() {
    // At many depths, so that the end of the stack is met in each of the functions that take part.
    let app = app("exports.actions = { attack() {}, more(pad) {
            const more = new Array(pad).fill(0);
            const deep = async (...args) => { await deep(...args); };
            return (async () => { const inner = async () => deep(...more); return inner(); })();
        } };");
    let (engine, _) = app.start();
    for pad in 0..40 {
        assert_eq!(failure(call(&engine, "app/more", json!([pad])).await).0, "stack_limit");
    }
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
}

async fn time_is_limited_and_late_answers_are_logged() {
    let app = App::new(
        &[(
            "app",
            "let late; exports.actions = {
                wait(cb) { late = cb; SS.publish.broadcast('waiting'); },
                finish() { late('x'); return 'ok'; },
                twice(cb) { cb(1); cb(2); },
                throwsLate(cb) { cb(1); throw new Error('after'); },
                rejectsLate(cb) { cb(1); return Promise.reject(new Error('much later')); },
            };",
        )],
        &["app/wait() cb", "app/finish()", "app/twice() cb", "app/throwsLate() cb", "app/rejectsLate() cb"],
    );
    let (engine, host) = app.start();
    // On a busy machine its time may be over before the call has started; then it is as if it had never been made.
    while host.effects().is_empty() {
        let wait = Call { timeout_ms: 20, ..super::double::job("app/wait", &json!([]), None) };
        assert_eq!(engine.call(wait).await.unwrap_err().code.as_str(), "timeout");
    }
    assert_eq!(call(&engine, "app/finish", json!([])).await, Ok(json!("ok")));
    assert_eq!(call(&engine, "app/twice", json!([])).await, Ok(json!(1)));
    assert_eq!(call(&engine, "app/throwsLate", json!([])).await, Ok(json!(1)));
    assert_eq!(call(&engine, "app/rejectsLate", json!([])).await, Ok(json!(1)));
    host.logged("much later").await;
    let logs = host.logs().join("\n");
    for line in [
        "app/wait answered again after it had been given up",
        "app/twice answered again after it had answered",
        "app/throwsLate failed after it had answered: Error: after",
        "app/rejectsLate failed after it had answered: Error: much later",
    ] {
        assert!(logs.contains(line), "{line} is not in\n{logs}");
    }
}

async fn a_call_whose_caller_goes_away_is_forgotten() {
    let (engine, _) = app("exports.actions = {};").start();
    let call_and_go = call(&engine, "by/never", json!([]));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(10), call_and_go).await.is_err());
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
}

async fn questions_of_a_script_are_limited_and_keep_no_call_out() {
    let mut app = app("exports.actions = { attack() { for (;;) SS.users.online.now(); } };");
    app.limits.calls = 100;
    let (engine, _) = app.start();
    let (code, message) = attacked(&engine).await;
    assert_eq!(code, "action_error");
    assert!(message.contains("more than 10000 questions"), "{message}");
}

async fn answers_are_limited_in_size() {
    let mut app = app("exports.actions = { attack: () => 'x'.repeat(2000) };");
    app.limits.answer_bytes = 1000;
    let (engine, _) = app.start();
    let (code, message) = attacked(&engine).await;
    assert_eq!((code, message.contains("2002 bytes")), ("too_large", true), "{message}");
}

async fn waiting_calls_are_limited_in_number() {
    let mut app = short_of_time("exports.actions = { attack() { while (true) {} } };");
    app.limits.calls = 2;
    let (engine, _) = app.start();
    let attack = call(&engine, "app/attack", json!([]));
    let others = futures_util::future::join_all((0..20).map(|n| {
        let engine = engine.clone();
        async move { call(&engine, "by/ping", json!([n])).await }
    }));
    let (_, others) = tokio::join!(attack, others);
    let refused = others.into_iter().filter(Result::is_err).map(|other| failure(other).0).collect::<Vec<_>>();
    assert!(refused.len() >= 17, "{refused:?}");
    assert!(refused.iter().all(|code| *code == "overloaded"), "{refused:?}");
}

#[tokio::test]
async fn embedded_a_spare_is_silent_until_it_is_needed() {
    let (engine, host) = short_of_time(
        "SS.publish.broadcast('loaded', 1);
        setInterval(() => SS.publish.broadcast('tick', 1), 1);
        exports.actions = { attack() { const again = () => { Promise.resolve().then(again); }; again(); again(); } };",
    )
    .start();
    let loaded = |host: &Recorder| host.effects().iter().filter(|effect| effect[2] == "loaded").count();
    host.until(|host| host.effects().len() > 5).await;
    assert_eq!(loaded(&host), 1, "the spare has loaded the app too, or will");
    assert_eq!(call_as_ann(&engine, "app/attack", json!([])).await, Ok(json!("undefined")));
    host.logged("An engine was replaced").await;
    host.until(|host| loaded(host) == 2).await;
    engine.close().await;
}
