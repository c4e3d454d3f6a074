//! What an action is called with, who may call it and what it may answer: whole apps, on both engines.

use crate::hooks::on_both;

#[test]
fn a_guard_covers_nested_actions_over_every_way_to_them() {
    let files = [
        (
            "app/server/safe.js",
            "exports.authenticate = true;
            exports.actions = { flat: () => 'flat', deep: { deeper: { deepest() { return this.request.origin; } } } };",
        ),
        (
            "app/server/app.js",
            "exports.actions = {
                asServer: () => SS.server.safe.deep.deeper.deepest(),
                asCaller() { return SS.server.safe.deep.deeper.deepest.call(this); },
                flatAsCaller(cb) { SS.server.safe.flat.call(this).then(cb, (error) => cb(error.code)); },
            };",
        ),
    ];
    on_both(&files, |served, _| {
        for path in ["safe/flat", "safe/deep/deeper/deepest", "app/asCaller"] {
            let answer = served.ask("POST", &format!("/api/{path}.json"), "[]");
            assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("not_authenticated"), "{path}: {answer}");
        }
        for path in ["safe/deep", "safe/deep/deeper", "safe/authenticate", "safe/actions/flat"] {
            assert!(served.ask("GET", &format!("/api/{path}"), "").starts_with("HTTP/1.1 404"), "{path}");
        }
        assert_eq!(served.call("app/asServer"), "\"server\"", "server code has no guard");
        assert_eq!(served.call("app/flatAsCaller"), "\"not_authenticated\"");
    });
}

#[test]
fn siblings_keep_the_context_and_shared_code_is_there() {
    let files = [
        ("app/shared/sums.js", "exports.add = (a, b) => a + b; exports.more = (a) => SS.shared.sums.add(a, 1);"),
        (
            "app/server/app.js",
            "exports.actions = {
                one(n) { return this.two(n + 1); },
                two(n) { return [n, this.request.origin, typeof this.session]; },
                nested: { up() { return this.down(); }, down() { return [this.request.origin, typeof this.up, typeof this.one]; } },
                fromAbove() { return this.nested.down(); },
                shared: (n) => SS.shared.sums.more(n),
            };",
        ),
    ];
    on_both(&files, |served, _| {
        assert_eq!(
            served.ask("POST", "/api/app/one", "[1]").split_once("\r\n\r\n").expect("a body").1,
            r#"[2,"http","object"]"#
        );
        assert_eq!(served.call("app/nested/up"), r#"["http","function","undefined"]"#);
        assert_eq!(served.call("app/fromAbove"), r#"["http","function","undefined"]"#);
        assert_eq!(served.ask("POST", "/api/app/shared", "[41]").split_once("\r\n\r\n").expect("a body").1, "42");
    });
}

#[test]
fn answers_are_what_json_can_hold_or_say_what_they_are() {
    let files = [(
        "app/server/app.js",
        "const circle = { a: [] }; circle.a.push(circle);
        exports.actions = {
            date: () => new Date(0), nothing() {}, number: () => NaN, own: () => ({ toJSON: () => 'own' }), holes: () => [1, , undefined],
            members: () => ({ a: undefined, b: 1 }), buffer: () => new Uint8Array([1, 2]),
            map: () => new Map([[1, 2]]), set: () => ({ deep: [new Set([1])] }), big: () => ({ n: 1n }), circle: () => circle,
            steps: function* () { yield 1; }, callback: (cb) => cb(() => 1), late: async () => ({ p: Promise.resolve(1) }), symbol: () => Symbol('s'),
        };",
    )];
    on_both(&files, |served, _| {
        for (action, body) in [
            ("date", "\"1970-01-01T00:00:00.000Z\""),
            ("nothing", "null"),
            ("number", "null"),
            ("own", "\"own\""),
            ("holes", "[1,null,null]"),
            ("members", "{\"b\":1}"),
            ("buffer", "{\"0\":1,\"1\":2}"),
        ] {
            assert_eq!(served.call(&format!("app/{action}")), body, "{action}");
        }
        for (action, says) in [
            ("map", "a Map"),
            ("set", "a Set"),
            ("big", "a BigInt"),
            ("circle", "contains itself"),
            ("steps", "a generator"),
            ("callback", "a function"),
            ("late", "a Promise"),
            ("symbol", "a symbol"),
        ] {
            let answer = served.ask("GET", &format!("/api/app/{action}.json"), "");
            assert!(answer.contains("not_serializable"), "{action}: {answer}");
            // What exactly is for the log and for development; in production the text is the same.
            assert!(answer.to_lowercase().contains(&says.to_lowercase()), "{action}: {answer}");
        }
    });
}
