//! The same hostile actions on both carriers: what each costs its caller, while everybody else goes on being answered.

use serde_json::json;

use super::double::{App, call, failure, on_both_carriers, on_node};
use crate::engine::Call;

on_both_carriers! {
    actions_that_never_end_are_interrupted,
    actions_that_block_in_native_code_are_interrupted,
    actions_that_eat_memory_meet_its_limit,
    actions_that_recurse_meet_the_end_of_the_stack,
    actions_that_do_not_answer_meet_their_time,
    a_burst_of_hostile_actions_leaves_a_server_that_works,
}

const BYSTANDERS: &str = "
    exports.actions = {
        ping: (n) => n,
        async slow(n) { await new Promise((resolve) => setTimeout(resolve, 5)); return n; },
    };";

fn app(attack: &str) -> App {
    let attack = format!("exports.actions = {{ {attack} }};");
    let files = [("by", BYSTANDERS), ("app", attack.as_str())];
    let mut app = App::new(&files, &["by/ping(n)", "by/slow(n)", "app/attack(n)"]);
    app.limits.call_busy_ms = 300;
    app.limits.engine_grace_ms = 200;
    app.limits.engine_memory_bytes = 24 * 1024 * 1024;
    app
}

/// Attacks twice, so that the second meets what the first has left, and sees what others are told before, meanwhile and
/// afterwards.
async fn ends_with(code: &str, attack: &str, memory: Memory) {
    let mut app = app(attack);
    if memory == Memory::IsNotTheMatter {
        // Nor is the machine: it may give a call little time.
        app.limits.engine_memory_bytes = 256 * 1024 * 1024;
    } else {
        app.limits.call_busy_ms = 10_000;
        app.limits.engine_grace_ms = 10_000;
    }
    let (engine, host) = app.start();
    for _ in 0..2 {
        assert_eq!(call(&engine, "by/slow", json!([1])).await, Ok(json!(1)));
        let attack_call = call(&engine, "app/attack", json!([]));
        let during = call(&engine, "by/ping", json!([2]));
        let (attacked, during) = tokio::join!(attack_call, during);
        let (found, message) = failure(attacked);
        assert_eq!(found, code, "{message}: {attack}\n{:?}", host.logs());
        // A process of Node.js that dies for want of memory cannot say which of the calls sent ahead it had begun with.
        if !(memory == Memory::IsTheMatter && on_node() && during.is_err()) {
            assert_eq!(during, Ok(json!(2)), "a call that had not started is answered: {attack}");
        }
        assert_eq!(call(&engine, "by/slow", json!([3])).await, Ok(json!(3)), "{attack}");
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    IsTheMatter,
    IsNotTheMatter,
}

async fn actions_that_never_end_are_interrupted() {
    for attack in [
        "attack() { for (;;); }",
        "async attack() { await null; for (;;); }",
        "async attack() { await SS.users.online.now(); for (;;); }",
        "attack: () => ({ toJSON() { for (;;); } })",
        "attack() { const again = () => { Promise.resolve().then(again); }; again(); return new Promise(() => {}); }",
        "attack() { /^(a+)+$/.test('a'.repeat(40) + 'b'); }",
    ] {
        ends_with("interrupted", attack, Memory::IsNotTheMatter).await;
    }
}

async fn actions_that_block_in_native_code_are_interrupted() {
    // One native call that asks nobody for minutes, in either engine.
    let attack = "attack() { const list = new Float64Array(4e5).map((_, i) => i); 'a'.repeat(8e4).indexOf('a'.repeat(4e4) + 'b');
        for (let i = 0; i < 1e9; i++) list.indexOf(-1); }";
    ends_with("interrupted", attack, Memory::IsNotTheMatter).await;
}

async fn actions_that_eat_memory_meet_its_limit() {
    for attack in [
        "attack() { const list = []; for (;;) list.push({ a: {} }); }",
        "async attack() { await null; const list = []; for (;;) list.push({ a: [] }); }",
        "attack() { globalThis.kept = []; for (;;) globalThis.kept.push({ a: [1] }); }",
    ] {
        ends_with("memory_limit", attack, Memory::IsTheMatter).await;
    }
}

async fn actions_that_recurse_meet_the_end_of_the_stack() {
    for attack in [
        "attack() { const deep = (n) => deep(n + 1) + 1; return deep(0); }",
        "async attack() { const deep = async (n) => (await deep(n + 1)) + 1; return deep(0); }",
        "attack() { let list = []; for (let i = 0; i < 1e5; i++) list = [list]; return list; }",
        "attack() { const deep = { get x() { return this.x; } }; return deep.x; }",
    ] {
        ends_with("stack_limit", attack, Memory::IsNotTheMatter).await;
    }
}

async fn actions_that_do_not_answer_meet_their_time() {
    let (engine, _) = app("attack() { return new Promise(() => {}); }").start();
    assert_eq!(call(&engine, "by/ping", json!([1])).await, Ok(json!(1)));
    let attack = Call { timeout_ms: 30, ..super::double::job("app/attack", &json!([]), None) };
    assert_eq!(engine.call(attack).await.unwrap_err().code.as_str(), "timeout");
    assert_eq!(call(&engine, "by/ping", json!([2])).await, Ok(json!(2)));
}

async fn a_burst_of_hostile_actions_leaves_a_server_that_works() {
    let (engine, _) = app("attack(n) {
        if (n % 4 === 0) for (;;);
        if (n % 4 === 1) { const deep = () => deep() + 1; return deep(); }
        if (n % 4 === 2) throw n;
        return new Promise((_, fail) => setTimeout(() => fail(new Error('late')), 1));
    }")
    .start();
    let attacks = (0..8).map(|n| call(&engine, "app/attack", json!([n])));
    for outcome in futures_util::future::join_all(attacks).await {
        let (code, message) = failure(outcome);
        let known = ["interrupted", "stack_limit", "action_error", "engine_lost"];
        assert!(known.contains(&code), "{code}: {message}");
    }
    assert_eq!(call(&engine, "by/slow", json!([3])).await, Ok(json!(3)));
}
