//! The web's globals that server code finds in the embedded engine; Node.js has its own.

use serde_json::json;

use super::double::{App, call};

/// Runs the body of a function and compares what it returns.
async fn gives(cases: &[(&str, serde_json::Value)]) {
    let bodies: Vec<String> = cases.iter().map(|(body, _)| format!("async () => {{ {body} }}")).collect();
    let source = format!("const cases = [{}]; exports.actions = {{ run: (n) => cases[n]() }};", bodies.join(",\n"));
    let (engine, _) = App::new(&[("app", &source)], &["app/run(n)"]).start();
    for (n, (body, value)) in cases.iter().enumerate() {
        assert_eq!(call(&engine, "app/run", json!([n])).await, Ok(value.clone()), "{body}");
    }
}

#[tokio::test]
async fn embedded_text_is_coded() {
    gives(&[
        ("return [...new TextEncoder().encode('aß€😀')];", json!([97, 195, 159, 226, 130, 172, 240, 159, 152, 128])),
        ("return [...new TextEncoder().encode('\\ud800x')];", json!([239, 191, 189, 120])),
        ("return new TextEncoder().encodeInto('€€', new Uint8Array(5));", json!({"read": 1, "written": 3})),
        ("return new TextDecoder().decode(new Uint8Array([97, 195, 159, 226, 130, 172, 240, 159, 152, 128]));", json!("aß€😀")),
        ("return new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 65]).buffer);", json!("A")),
        ("return new TextDecoder('UTF8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 65]));", json!("\u{feff}A")),
        ("return new TextDecoder().decode(new Uint8Array([0xc0, 0x80, 0xe2, 0x82, 0x41, 0xed, 0xa0, 0x80, 0xf0, 0x9f]));", json!("\u{fffd}\u{fffd}\u{fffd}A\u{fffd}\u{fffd}\u{fffd}\u{fffd}")),
        ("const d = new TextDecoder(); return d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + d.decode(new Uint8Array([0xac]));", json!("€")),
        ("try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255])); } catch (e) { return e.name; }", json!("TypeError")),
        ("try { new TextDecoder('latin1'); } catch (e) { return e.name; }", json!("RangeError")),
        ("return [btoa('hello'), atob('aGVsbG8=')];", json!(["aGVsbG8=", "hello"])),
        ("const all = 'ab€'.repeat(20000); return new TextDecoder().decode(new TextEncoder().encode(all)) === all;", json!(true)),
    ])
    .await;
}

#[tokio::test]
async fn embedded_addresses_are_read_and_changed() {
    gives(&[
        (
            "const u = new URL('../b?x=1&y=a%20b#h', 'https://user:pw@Example.com:8080/a/c/');
            return [u.href, u.origin, u.host, u.port, u.pathname, u.search, u.hash, u.searchParams.get('y'), JSON.stringify({ u })];",
            json!([
                "https://user:pw@example.com:8080/a/b?x=1&y=a%20b#h", "https://example.com:8080", "example.com:8080", "8080",
                "/a/b", "?x=1&y=a%20b", "#h", "a b", "{\"u\":\"https://user:pw@example.com:8080/a/b?x=1&y=a%20b#h\"}"
            ]),
        ),
        (
            "const u = new URL('http://a/'); u.searchParams.append('q', 'x y&'); u.pathname = '/p q'; u.hash = 'z'; u.port = 'nope'; u.host = 'b:81';
            const { searchParams } = u; u.search = '?n=2'; return [`${u}`, searchParams.get('n'), searchParams.has('q')];",
            json!(["http://b:81/p%20q?n=2#z", "2", false]),
        ),
        ("try { new URL('nothing'); } catch (e) { return e.name; }", json!("TypeError")),
        ("return [URL.canParse('x:y'), URL.canParse('//x'), URL.parse('nothing')];", json!([true, false, null])),
        (
            "const p = new URLSearchParams({ a: '1', b: 'ä +' }); p.append('a', '2'); p.set('c', 3); p.sort();
            return [`${p}`, p.getAll('a'), [...p.keys()], p.size, new URLSearchParams('?x=%zz&y=%41+&&z').toString()];",
            json!(["a=1&a=2&b=%C3%A4+%2B&c=3", ["1", "2"], ["a", "a", "b", "c"], 4, "x=%25zz&y=A+&z="]),
        ),
        ("return [...new URLSearchParams([['a', 'b'], ['c', 'd']])];", json!([["a", "b"], ["c", "d"]])),
    ])
    .await;
}

#[tokio::test]
async fn embedded_values_are_cloned() {
    gives(&[
        (
            "const a = { d: new Date(5), m: new Map([[1, { x: 1 }]]), s: new Set([1]), b: new Uint8Array([1, 2]), r: /x/gi, n: [1, , 3], u: undefined };
            a.self = a; const b = structuredClone(a);
            return [b !== a, b.self === b, b.d.getTime(), b.m.get(1).x, b.m.get(1) !== a.m.get(1), b.s.has(1), [...b.b], String(b.r), 1 in b.n, 'u' in b];",
            json!([true, true, 5, 1, true, true, [1, 2], "/x/gi", false, true]),
        ),
        ("try { structuredClone({ f() {} }); } catch (e) { return e.name; }", json!("DataCloneError")),
        ("const e = structuredClone(new TypeError('x')); return [e instanceof TypeError, e.message];", json!([true, "x"])),
        ("return structuredClone(JSON.parse('{\"__proto__\": {\"x\": 1}}')).x === undefined;", json!(true)),
    ])
    .await;
}

#[tokio::test]
async fn embedded_random_values_and_digests() {
    gives(&[
        ("return /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID());", json!(true)),
        ("return crypto.randomUUID() !== crypto.randomUUID();", json!(true)),
        ("const a = crypto.getRandomValues(new Uint32Array(64)); return new Set(a).size > 60;", json!(true)),
        ("try { crypto.getRandomValues(new Uint8Array(65537)); } catch (e) { return e.name; }", json!("QuotaExceededError")),
        (
            "const hex = (b) => [...new Uint8Array(b)].map((x) => x.toString(16).padStart(2, '0')).join('');
            const text = new TextEncoder().encode('abc');
            return [hex(await crypto.subtle.digest('SHA-256', text)), hex(await crypto.subtle.digest({ name: 'sha-1' }, text.buffer))];",
            json!([
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "a9993e364706816aba3e25717850c26c9cd0d89d"
            ]),
        ),
        ("return crypto.subtle.digest('MD5', new Uint8Array(1)).catch((e) => e.name);", json!("NotSupportedError")),
    ])
    .await;
}

#[tokio::test]
async fn embedded_events_timers_and_aborting() {
    gives(&[
        (
            "const c = new AbortController(); const seen = [];
            c.signal.addEventListener('abort', (e) => seen.push(e.type), { once: true }); c.signal.onabort = () => seen.push('on');
            c.abort(); c.abort(); return [seen, c.signal.aborted, c.signal.reason.name];",
            json!([["on", "abort"], true, "AbortError"]),
        ),
        ("return new Promise((done) => AbortSignal.timeout(1).addEventListener('abort', function () { done(this.reason.name); }));", json!("TimeoutError")),
        ("return AbortSignal.any([AbortSignal.abort('x')]).reason;", json!("x")),
        ("const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener('a', f); t.addEventListener('a', f); t.dispatchEvent(new Event('a')); t.removeEventListener('a', f); t.dispatchEvent(new Event('a')); return n;", json!(1)),
        (
            "const order = []; const { promise, resolve } = Promise.withResolvers();
            setTimeout((x) => { order.push(x); resolve(); }, 3, 'late'); setTimeout(() => order.push('zero')); setImmediate(() => order.push('immediate'));
            queueMicrotask(() => order.push('micro')); const gone = setTimeout(() => order.push('never'), 1); clearTimeout(gone); order.push('now');
            await promise; return order;",
            json!(["now", "micro", "zero", "immediate", "late"]),
        ),
        ("return new Promise((done) => { let n = 0; const id = setInterval(() => { if (++n === 3) { clearInterval(id); done(n); } }, 1); });", json!(3)),
        ("return performance.now() >= 0;", json!(true)),
    ])
    .await;
}

#[tokio::test]
async fn embedded_the_console_writes_to_the_log() {
    let (engine, host) = App::new(
        &[(
            "app",
            "exports.actions = { run() {
                console.log('plain %s %d %j', 'text', 4, { a: 1 }, [1, 'two']);
                console.error(new Error('broken')); console.warn({ deep: { er: { est: { gone: 1 } } } }); console.debug(new Map([['k', 1]]));
                const cyclic = { name: 'c' }; cyclic.me = cyclic; console.info(cyclic, undefined, null, 5n, Symbol('s'), function named() {});
                console.log({ get boom() { throw 1; }, toString() { throw 2; } }); console.log('\\ud800'); console.assert(false, 'asserted');
                SS.log('a line'); SS.log.error('an error');
            } };",
        )],
        &["app/run()"],
    )
    .start();
    assert_eq!(call(&engine, "app/run", json!([])).await, Ok(json!("undefined")));
    let logs = host.logs();
    assert_eq!(logs[0], "2 plain text 4 {\"a\":1} [ 1, \"two\" ]");
    assert!(logs[1].starts_with("0 Error: broken\n    at run (server.js:"), "{}", logs[1]);
    assert_eq!(logs[2], "1 { deep: { er: { est: [Object] } } }");
    assert_eq!(logs[3], "3 Map { \"k\" => 1 }");
    assert_eq!(logs[4], "2 { name: \"c\", me: [circular] } undefined null 5n Symbol(s) [function named]");
    assert_eq!(logs[5], "2 { boom: [getter], toString: [function toString] }");
    assert_eq!(logs[6..], ["2 \u{fffd}", "0 Assertion failed: asserted", "2 a line", "0 an error"]);
}

#[tokio::test]
async fn embedded_failures_that_have_no_other_place_fail_the_call_or_are_logged() {
    let (engine, host) = App::new(
        &[(
            "app",
            "exports.actions = {
                timer(cb) { setTimeout(() => { throw new Error('in a timer'); }, 1); },
                callback(cb) { SS.users.online.now(() => { throw new Error('in a callback'); }); },
                forgotten() { Promise.reject(new Error('forgotten')); return 'ok'; },
                handled() { const p = Promise.reject(new Error('handled')); p.catch(() => {}); return 'ok'; },
            };",
        )],
        &["app/timer() cb", "app/callback() cb", "app/forgotten()", "app/handled()"],
    )
    .start();
    assert_eq!(call(&engine, "app/timer", json!([])).await.unwrap_err().message, "in a timer");
    assert_eq!(call(&engine, "app/callback", json!([])).await.unwrap_err().message, "in a callback");
    assert_eq!(call(&engine, "app/handled", json!([])).await, Ok(json!("ok")));
    assert_eq!(call(&engine, "app/forgotten", json!([])).await, Ok(json!("ok")));
    host.logged("a promise was rejected and nobody handled it: Error: forgotten").await;
    assert_eq!(host.logs().len(), 1);
}
