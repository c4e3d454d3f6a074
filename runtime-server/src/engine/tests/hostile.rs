//! App code that changes the language, looks for the prelude's insides, or exports nonsense.

use serde_json::json;

use super::double::{App, call, call_as_ann, failure, on_both_carriers, on_node};
use crate::engine::EngineError;

on_both_carriers! {
    a_message_cannot_pollute,
    weird_exports_are_unknown_actions,
    whatever_is_thrown_is_an_error_with_text,
    what_json_has_no_form_for_is_named,
    code_that_throws_or_hangs_while_it_is_loaded_is_an_error_with_a_place,
}

#[tokio::test]
async fn embedded_polluted_prototypes_give_no_rights() {
    let app = App::new(
        &[
            (
                "app",
                "const { apply } = Reflect;
            exports.actions = {
                pollute() {
                    Object.prototype.session = { user_id: 'eve' };
                    Object.prototype.guard = false;
                    Object.prototype.user_id = 'eve';
                    Object.prototype.fn = () => 'forged';
                    Object.prototype['app/forged'] = { fn: () => 'forged' };
                    Object.prototype.get = () => 'forged';
                    Object.prototype.value = 'forged';
                    Object.prototype[0] = 'zero';
                    for (const [proto, names] of [
                        [Array.prototype, ['push', 'slice', 'join', 'map']],
                        [Map.prototype, ['get', 'set', 'has', 'delete']],
                        [String.prototype, ['split', 'slice', 'toWellFormed']],
                        [Function.prototype, ['call', 'apply', 'bind', Symbol.hasInstance]],
                        [Promise.prototype, ['catch', 'finally']],
                    ]) for (const name of names) { try { proto[name] = () => 'forged'; } catch {} }
                    JSON.stringify = () => '\"forged\"'; JSON.parse = () => 'forged';
                    Object.keys = Object.create = Reflect.apply = Reflect.ownKeys = () => 'forged';
                    globalThis.Promise = class {}; globalThis.Map = class {};
                    Array.prototype[Symbol.iterator] = () => 'forged';
                    return 'ok';
                },
                who() { return [this.session === null, this.user === null, this.request.id]; },
                async member() {
                    this.session.attributes.n = 1;
                    await this.session.save();
                    await this.session.channel.subscribe('x');
                    SS.publish.channel('y', 'z', [1]);
                    return [this.session.id, this.user.id];
                },
                args(x) { return x; },
                timer(cb) { setTimeout(() => cb('on'), 1); },
                guarded() { return apply(SS.server.secret.get, this, []); },
            };",
            ),
            ("secret", "exports.authenticate = true; exports.actions = { get: () => 'secret' };"),
        ],
        &[
            "app/pollute()",
            "app/who()",
            "app/member()",
            "app/args(x)",
            "app/timer() cb",
            "app/guarded()",
            "secret/get() guard",
        ],
    );
    let (engine, host) = app.start();
    assert_eq!(call(&engine, "app/pollute", json!([])).await, Ok(json!("ok")));
    assert_eq!(call(&engine, "app/who", json!([])).await, Ok(json!([true, true, "r1"])));
    assert_eq!(call_as_ann(&engine, "app/member", json!([])).await, Ok(json!(["session-3", "ann"])));
    let effects = [
        json!(["save", 3, {"n": 1}, []]),
        json!(["subscribe", 3, ["x"]]),
        json!(["publish", "Channels([\"y\"])", "z", [1]]),
    ];
    assert_eq!(host.effects(), effects);
    assert_eq!(call(&engine, "app/timer", json!([])).await, Ok(json!("on")));
    assert_eq!(failure(call(&engine, "app/guarded", json!([])).await).0, "not_authenticated");
    for path in ["app/forged", "__proto__", "app/__proto__", "constructor", "toString", ""] {
        assert_eq!(failure(call(&engine, path, json!([])).await).0, "unknown_action", "{path}");
    }
}

async fn a_message_cannot_pollute() {
    let app = App::new(
        &[(
            "app",
            "exports.actions = {
                take(x) { return [Object.keys(x), ({}).polluted === undefined, x.polluted === undefined]; },
                save(x) { this.session.attributes = x; },
            };",
        )],
        &["app/take(x)", "app/save(x)"],
    );
    let (engine, host) = app.start();
    let args = json!([{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}]);
    let taken = call(&engine, "app/take", args.clone()).await;
    assert_eq!(taken, Ok(json!([["__proto__", "constructor"], true, true])));
    assert_eq!(call_as_ann(&engine, "app/save", args.clone()).await, Ok(json!("undefined")));
    assert_eq!(host.effects(), [json!(["save", 3, args[0], ["color", "cart"]])]);
}

#[tokio::test]
async fn embedded_the_host_is_out_of_reach() {
    let app = App::new(
        &[(
            "app",
            "const names = Object.getOwnPropertyNames(globalThis);
            const seen = new Set();
            const found = [];
            // Everything that can be reached from a value by properties and prototypes.
            function walk(value, path) {
                if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
                seen.add(value);
                if (typeof value === 'function' && value !== Math.random && /^(send|receive|random|timer)$/.test(value.name)) found.push(path);
                walk(Object.getPrototypeOf(value), path + '.__proto__');
                for (const key of Reflect.ownKeys(value)) {
                    const property = Object.getOwnPropertyDescriptor(value, key);
                    const at = path + '.' + String(key);
                    for (const part of ['value', 'get', 'set']) walk(property[part], at);
                }
            }
            exports.actions = {
                reach() {
                    globalThis.R = null;
                    walk(globalThis, 'globalThis'); walk(this, 'this'); walk(this.session, 'session');
                    walk(this.session.channel, 'channel'); walk(this.user, 'user');
                    return found;
                },
                globals() { return names.filter((name) => /^(__ss|ss|host|std|os|bjson|scriptArgs|print|load)$/.test(name)); },
                stack() {
                    const sites = [];
                    Error.prepareStackTrace = (_, all) => { sites.push(...all); };
                    new Error().stack;
                    Error.prepareStackTrace = undefined;
                    return sites.flatMap((site) => [typeof site.getFunction, typeof site.getThis]);
                },
                caller() { try { return String(arguments.callee.caller); } catch (error) { return error.name; } },
                fn() { return [this.reach, SS.server.app.reach].map((fn) => { try { return String(fn.caller); } catch { return 'throws'; } }); },
                stamp() {
                    const forged = Object.create(Object.getPrototypeOf(this));
                    return [forged.session, forged.user, forged.request, SS.server.app.fn.call(forged) instanceof Promise];
                },
            };",
        )],
        &["app/reach()", "app/globals()", "app/stack()", "app/caller()", "app/fn()", "app/stamp()"],
    );
    let (engine, _) = app.start();
    assert_eq!(call_as_ann(&engine, "app/reach", json!([])).await, Ok(json!([])));
    assert_eq!(call(&engine, "app/globals", json!([])).await, Ok(json!([])));
    let sites = call(&engine, "app/stack", json!([])).await.unwrap();
    assert!(sites.as_array().unwrap().len() > 2 && sites.as_array().unwrap().iter().all(|kind| kind == "undefined"));
    for action in ["app/caller", "app/fn"] {
        let text = call(&engine, action, json!([])).await.unwrap().to_string();
        assert!(!text.contains("apply"), "{text}");
    }
    assert_eq!(call_as_ann(&engine, "app/stamp", json!([])).await, Ok(json!([null, null, null, true])));
}

async fn weird_exports_are_unknown_actions() {
    let app = App::new(
        &[
            ("none", ""),
            ("null", "exports.actions = null;"),
            ("number", "exports.actions = 42;"),
            ("text", "exports.actions = 'x';"),
            ("inherited", "exports.actions = Object.create({ a: () => 'inherited' });"),
            ("nothing", "module.exports = null;"),
            ("notfn", "exports.actions = { a: 5, deep: null };"),
            ("getter", "exports.actions = { get a() { return () => 'got'; } };"),
            ("late", "exports.actions = { a: () => 'first', change() { exports.actions.a = () => 'second'; } };"),
        ],
        &[
            "none/a()",
            "null/a()",
            "number/a()",
            "text/length()",
            "inherited/a()",
            "inherited/toString()",
            "nothing/a()",
            "notfn/a()",
            "notfn/deep/a()",
            "getter/a()",
            "late/a()",
            "late/change()",
            "missing/a()",
        ],
    );
    let (engine, _) = app.start();
    for path in [
        "none/a",
        "null/a",
        "number/a",
        "text/length",
        "inherited/a",
        "inherited/toString",
        "nothing/a",
        "notfn/a",
        "notfn/deep/a",
        "missing/a",
    ] {
        assert_eq!(failure(call(&engine, path, json!([])).await).0, "unknown_action", "{path}");
    }
    assert_eq!(call(&engine, "getter/a", json!([])).await, Ok(json!("got")));
    assert_eq!(call(&engine, "late/change", json!([])).await, Ok(json!("undefined")));
    assert_eq!(call(&engine, "late/a", json!([])).await, Ok(json!("first")));
}

async fn whatever_is_thrown_is_an_error_with_text() {
    let app = App::new(
        &[(
            "app",
            "class Own extends Error { get message() { throw 1; } }
            const things = [
                () => { throw new Error('plain'); },
                () => { throw 'text'; },
                () => { throw undefined; },
                () => { throw { message: 'like an error' }; },
                () => { throw Object.create(null); },
                () => { throw new Own(); },
                () => { throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 1; } }); },
                () => { throw Symbol('s'); },
                () => { throw new Error('\\ud800'); },
                () => Promise.reject(new TypeError('rejected')),
                async () => { throw new RangeError('async'); },
                () => ({ then(ok, failed) { failed(new Error('thenable')); } }),
                () => ({ get then() { throw new Error('getter'); } }),
                () => { null.x; },
                () => { throw null; },
                () => Promise.reject(null),
            ];
            exports.actions = { thrown(n) { return things[n](); } };",
        )],
        &["app/thrown(n)"],
    );
    let (engine, _) = app.start();
    for (n, text) in [
        "plain",
        "text",
        "undefined",
        "like an error",
        "a value that cannot be shown",
        "an error that cannot be shown",
        "an error that cannot be shown",
        "Symbol(s)",
        "\u{fffd}",
        "rejected",
        "async",
        "thenable",
        "getter",
        if on_node() { "Cannot read properties of null (reading 'x')" } else { "cannot read property 'x' of null" },
        "null",
        "null",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(failure(call(&engine, "app/thrown", json!([n])).await), ("action_error", text.to_owned()), "{n}");
    }
    let plain = call(&engine, "app/thrown", json!([0])).await.unwrap_err();
    let stack = plain.stack.expect("an error has a stack");
    assert!(stack.starts_with("Error: plain\n"), "{stack}");
    assert!(stack.contains("server.js:") && !stack.contains("ss:prelude"), "{stack}");
}

async fn what_json_has_no_form_for_is_named() {
    let app = App::new(
        &[(
            "app",
            "const cyclic = { a: {} }; cyclic.a.b = [cyclic];
            const things = [
                new Map(), { a: [1, { b: new Set() }] }, { big: 1n }, cyclic, () => 1, Symbol('x'), { p: Promise.resolve() },
                { toJSON() { throw new Error('mine'); } },
            ];
            exports.actions = {
                give(n) { return things[n]; },
                own() { return [JSON.stringify(new Map([[1, 2]])), JSON.stringify({ s: new Set() })]; },
                fine() { return [[undefined, () => 1, NaN, -0, '\\ud800', new Date(NaN)], { u: undefined }, Object(1n) === 1]; },
            };",
        )],
        &["app/give(n)", "app/own()", "app/fine()"],
    );
    let (engine, _) = app.start();
    for (n, text) in [
        "the answer is a Map, which JSON has no form for",
        "the answer.a[1].b is a Set, which JSON has no form for",
        "the answer.big is a BigInt, which JSON has no form for",
        "the answer.a.b[0] is an object that contains itself, which JSON has no form for",
        "the answer is a function, which JSON has no form for",
        "the answer is a symbol, which JSON has no form for",
        "the answer.p is a promise (await it), which JSON has no form for",
        "the answer cannot be written as JSON: mine",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(failure(call(&engine, "app/give", json!([n])).await), ("not_serializable", text.to_owned()));
    }
    assert_eq!(call(&engine, "app/own", json!([])).await, Ok(json!(["{}", "{\"s\":{}}"])));
    let raw = engine.call(super::double::job("app/fine", &json!([]), None)).await.unwrap().unwrap();
    assert_eq!(raw.get(), r#"[[null,null,null,0,"\ud800",null],{},false]"#);
}

async fn code_that_throws_or_hangs_while_it_is_loaded_is_an_error_with_a_place() {
    let (result, _) =
        App::new(&[("app", "function start() { throw new TypeError('at load'); }\nstart();")], &[]).try_start();
    let Err(EngineError::Load { message, stack: Some(stack) }) = result else { panic!("the app does not load") };
    assert_eq!(message, "at load");
    assert!(stack.starts_with("TypeError: at load\n") && stack.contains("server.js:2:"), "{stack}");

    let (result, _) = App::raw("__ss.define({", &[]).try_start();
    assert!(matches!(result, Err(EngineError::Load { stack: Some(stack), .. }) if stack.contains("SyntaxError")));

    let (result, _) = App::raw("1;", &[]).try_start();
    assert!(matches!(result, Err(EngineError::Load { message, .. }) if message.contains("does not start")));

    let mut app = App::new(&[("app", "while (true) {}")], &[]);
    app.limits.call_timeout_ms = 100;
    let (result, _) = app.try_start();
    assert!(matches!(result, Err(EngineError::Load { message, .. }) if message == "it did not end in time"));
}
