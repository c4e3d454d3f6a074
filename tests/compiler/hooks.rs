//! `config/db.*`, `config/events.*` and `config/http.*`, on both engines.

use std::path::Path;

use ssbuild_server::manifest::Hook;

use crate::{app::App, served::Served};

/// Runs a test's app on each engine.
pub(crate) fn on_both(files: &[(&str, &str)], test: impl Fn(&Served, &Path)) {
    for engine in ["embedded", "node"] {
        let config = format!("{{\"build\": {{\"engine\": \"{engine}\"}}}}");
        let app = App::new(&[files, &[("config/app.json", config.as_str())]].concat());
        test(&Served::start(&app.root()), &app.root());
    }
}

/// Head and body of an answer.
fn parts(answer: &str) -> (String, String) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    (head.to_lowercase(), body.to_owned())
}

#[test]
fn start_up_code_is_done_before_the_first_call() {
    let files = [
        (
            "config/db.js",
            "const order = globalThis.order = ['module'];
            exports.init = async function () {
                order.push('begun');
                await new Promise((resolve) => setTimeout(resolve, 30));
                order.push('done');
            };",
        ),
        (
            "app/server/app.js",
            "globalThis.order.push('app'); exports.actions = { order: () => globalThis.order.slice() };",
        ),
    ];
    on_both(&files, |served, _| {
        assert_eq!(served.call("app/order"), r#"["module","begun","app","done"]"#);
    });
}

#[test]
fn start_up_code_that_fails_is_told() {
    let files = [
        ("config/db.js", "module.exports = () => Promise.reject(new Error('no database'));"),
        ("app/server/app.js", "exports.actions = { f: () => 1 };"),
    ];
    let app = |engine: &str| {
        let config = format!("{{\"build\": {{\"engine\": \"{engine}\"}}}}");
        App::new(&[&files[..], &[("config/app.json", config.as_str())]].concat())
    };
    let said = Served::start_with(&app("node").root(), &[]).err().expect("it does not start");
    assert!(said.contains("no database"), "{said}");
    let embedded = app("embedded");
    let served = Served::start(&embedded.root());
    let answer = served.call("app/f");
    assert!(answer.contains("the app has not started: no database"), "{answer}");
}

#[test]
fn server_code_hears_of_exceptions_and_channels() {
    let files = [
        (
            "config/events.js",
            "globalThis.seen = [];
            SS.events.on('application:exception', (error, what) => { globalThis.seen.push([error.message, what]); });
            exports['application:exception'] = () => { globalThis.seen.push('exported'); throw new Error('in a handler'); };
            exports['channel:subscribe'] = (session, channel) => { globalThis.seen.push([typeof session.id, channel]); };
            exports['channel:unsubscribe'] = (session, channel) => { globalThis.seen.push(channel); };",
        ),
        (
            "app/server/app.js",
            "exports.actions = {
                fail() { throw new Error('broken'); },
                async join() { await this.session.channel.subscribe(['a', 'b']); await this.session.channel.unsubscribe('a'); },
                seen: () => globalThis.seen.splice(0),
                wrong() { SS.events.on('client:gone', () => {}); },
            };",
        ),
    ];
    on_both(&files, |served, _| {
        assert!(served.call("app/fail").contains("broken"));
        assert_eq!(served.call("app/seen"), r#"[["broken","app/fail"],"exported"]"#);
        served.call("app/join");
        assert_eq!(served.call("app/seen"), r#"[["string","a"],["string","b"],"a"]"#);
        assert!(served.call("app/wrong").contains("there is no event 'client:gone'"));
    });
}

const MIDDLEWARE: &str = "
    const chain = module.exports = [];
    chain.push((request, response, next) => { response.setHeader('X-First', '1'); request.seen = ['first']; next(); });
    chain.push(async (request, response, next) => {
        await null;
        request.seen.push('second');
        switch (request.url) {
            case '/hello':
                response.setHeader('Content-Type', 'text/plain');
                return response.end(`${request.method} ${request.seen} ${request.headers['x-mine']}`);
            case '/old?x=1': request.url = '/api/app/echo?new'; return next();
            case '/throw': throw new Error('broken');
            case '/next': return next(new Error('given'));
            case '/hang': return setTimeout(() => { response.writeHead(201, { 'X-Late': 'yes' }); response.end('late'); }, 50);
            default: next();
        }
    });
    chain.push((error, request, response, next) => {
        if (error.message !== 'given') return next(error);
        response.statusCode = 418;
        response.end('teapot');
    });
    chain.push((request, response, next) => { response.setHeader('X-Last', '2'); next(); });";

#[test]
fn middleware_sees_every_request_first() {
    let files = [("config/http.js", MIDDLEWARE), ("app/server/app.js", "exports.actions = { echo: (x) => x };")];
    on_both(&files, |served, root| {
        let (head, body) = parts(&served.ask("GET", "/hello", ""));
        assert!(head.starts_with("http/1.1 200") && head.contains("x-first: 1"), "{head}");
        assert!(body.contains("GET first,second undefined"), "{body}");
        // Passed on: the page, an action by a path of its own, and one with a body.
        let (head, body) = parts(&served.ask("GET", "/", ""));
        assert!(head.contains("content-type: text/html") && head.contains("x-last: 2"), "{head}");
        assert!(body.contains("<html>"), "{body}");
        let (head, body) = parts(&served.ask("GET", "/old?x=1", ""));
        assert!(head.contains("200") && body.contains("\"new\""), "{head}\n{body}");
        let (_, body) = parts(&served.ask("POST", "/api/app/echo", "[{\"a\": [1, 2]}]"));
        assert_eq!(body, "{\"a\":[1,2]}");
        let (head, body) = parts(&served.ask("GET", "/next", ""));
        assert!(head.starts_with("http/1.1 418") && body.contains("teapot"), "{head}\n{body}");
        let (head, body) = parts(&served.ask("GET", "/throw", ""));
        assert!(head.starts_with("http/1.1 500") && !body.contains("broken"), "{head}\n{body}");
        // One that takes its time keeps nobody waiting.
        std::thread::scope(|scope| {
            let late = scope.spawn(|| served.ask("GET", "/hang", ""));
            assert!(served.ask("GET", "/hello", "").contains("GET first,second"));
            let (head, body) = parts(&late.join().expect("it is answered"));
            assert!(
                head.starts_with("http/1.1 201") && head.contains("x-late: yes") && body.contains("late"),
                "{head}"
            );
        });
        let manifest = std::fs::read_to_string(root.join("dist/manifest.json")).expect("there is a manifest");
        let manifest: ssbuild_server::manifest::Manifest = serde_json::from_str(&manifest).expect("it is one");
        assert_eq!(manifest.server.hooks, [Hook::Http]);
    });
}

#[test]
fn requests_for_an_upgrade_are_plain_ones_and_sockets_of_pages_are_not_shown() {
    let files = [
        (
            "config/http.js",
            "module.exports = (request, response, next) => {
                response.setHeader('X-Seen', request.url);
                if (request.url !== '/chat') return next();
                response.statusCode = 418;
                response.end(`${request.method} ${request.headers.upgrade}`);
            };",
        ),
        ("app/server/app.js", "exports.actions = {};"),
    ];
    on_both(&files, |served, _| {
        let upgrade = |path: &str| {
            let key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ss.1";
            let address = served.address();
            served.send(&format!(
                "GET {path} HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n{key}\r\n\r\n"
            ))
        };
        let (head, body) = parts(&upgrade("/chat"));
        assert!(head.starts_with("http/1.1 418") && head.contains("x-seen: /chat"), "{head}");
        assert!(body.contains("GET undefined"), "{body}");
        let (head, _) = parts(&upgrade("/other"));
        assert!(!head.starts_with("http/1.1 101") && head.contains("x-seen: /other"), "{head}");
        let refused = served.ask("GET", "/_ss/socket", "");
        assert!(refused.starts_with("HTTP/1.1 403") && !refused.to_lowercase().contains("x-seen"), "{refused}");
    });
}

#[test]
fn middleware_as_2011_wrote_it() {
    let files = [
        (
            "config/http.js",
            "exports.call = function (request, response, next) { require('my_middleware').call(request, response, next); };",
        ),
        (
            "lib/server/my_middleware.js",
            "exports.call = function (request, response, next) {
                if (request.url !== '/mine') return next();
                response.writeHead(200, { 'Content-Type': 'text/plain' });
                response.write('two ');
                response.end('parts');
            };",
        ),
        ("app/server/app.js", "exports.actions = {};"),
    ];
    on_both(&files, |served, _| {
        let answer = served.ask("GET", "/mine", "");
        assert!(answer.contains("200 OK") && answer.contains("two ") && answer.contains("parts"), "{answer}");
        assert!(served.ask("GET", "/", "").contains("<html>"));
    });
}

#[test]
fn bodies_are_streamed_both_ways_on_node() {
    // Far more than any buffer between: it only gets through piece by piece.
    let app = App::new(&[
        (
            "config/http.js",
            "const { createHash } = require('crypto');
            exports.call = (request, response, next) => {
                if (request.url === '/upload') {
                    const hash = createHash('sha256');
                    let bytes = 0;
                    request.on('data', (chunk) => { bytes += chunk.length; hash.update(chunk); });
                    request.on('end', () => response.end(`${bytes} ${hash.digest('hex')}`));
                } else if (request.url === '/download') {
                    let left = 400;
                    const chunk = Buffer.alloc(65536, 'x');
                    const more = () => {
                        while (left-- > 0) if (!response.write(chunk)) return void response.once('drain', more);
                        response.end();
                    };
                    more();
                } else if (request.url === '/api/app/size') {
                    // Looks at a part of the body, and passes it on all the same.
                    request.once('data', () => next());
                } else next();
            };",
        ),
        ("app/server/app.js", "exports.actions = { size: (text) => text.length };"),
    ]);
    let served = Served::start(&app.root());
    let body = "b".repeat(8 * 1024 * 1024);
    let answer = served.ask("POST", "/upload", &body);
    assert!(answer.contains(&format!("{} ", body.len())), "{}", &answer[..200.min(answer.len())]);
    let answer = served.ask("GET", "/download", "");
    assert!(answer.matches('x').count() > 400 * 65536 - 1, "all of it arrives");
    let text = format!("[\"{}\"]", "t".repeat(300_000));
    let answer = served.ask("POST", "/api/app/size", &text);
    assert!(answer.ends_with("300000"), "{answer}");
}
