//! `fetch` in the embedded engine, against a server of the test's own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::json;

use super::double::{App, call, failure};

/// Answers with what it was asked, unless the path says otherwise; its threads end with the test's process.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) && line != "\r\n" {
        head.push(std::mem::take(&mut line).trim_end().to_owned());
        line.clear();
    }
    let Some(first) = head.first().cloned() else { return };
    let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let path = first.split(' ').nth(1).unwrap_or_default();
    let reply = match path {
        "/never" => return std::thread::park(),
        "/moved" => "HTTP/1.1 302 Found\r\nLocation: /echo?moved\r\nContent-Length: 0\r\n".to_owned() + "\r\n",
        "/round" => "HTTP/1.1 302 Found\r\nLocation: /round\r\nContent-Length: 0\r\n\r\n".to_owned(),
        "/large" => format!("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{}", "x".repeat(5000)),
        "/bytes" => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n".to_owned(),
        "/missing" => "HTTP/1.1 404 Not Found\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 2\r\n\r\nno".to_owned(),
        _ => {
            let mine = head.iter().find(|line| line.to_lowercase().starts_with("x-mine")).cloned();
            let told = json!([first, mine, String::from_utf8_lossy(&body)]).to_string();
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{told}", told.len())
        }
    };
    // Each connection is for one request.
    let reply = reply.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    let mut stream = stream;
    let bytes: &[u8] = if path == "/bytes" { &[0xff, 0, 0xfe] } else { b"" };
    // A client that has gone does not want it.
    let _ = stream.write_all(&[reply.as_bytes(), bytes].concat());
}

const SOURCE: &str = "
    const told = async (response) => [response.status, response.ok, response.redirected, await response.text()];
    exports.actions = {
        get: async (url, init) => told(await fetch(url, init)),
        json: async (url) => (await fetch(new URL(url))).json(),
        post: async (url) => told(await fetch(url, { method: 'post', body: JSON.stringify({ a: 1 }), headers: { 'X-Mine': 'yes' } })),
        form: async (url) => told(await fetch(new Request(url, { method: 'PUT', body: new URLSearchParams({ a: 'ü' }) }))),
        send: async (url) => told(await fetch(url, { method: 'POST', body: new Uint8Array([104, 105]) })),
        bytes: async (url) => [...new Uint8Array(await (await fetch(url)).arrayBuffer())],
        headers: async (url) => { const { headers } = await fetch(url); return [headers.get('X-Two'), headers.has('nothing')]; },
        async abort(url) {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), 5);
            try { await fetch(url, { signal: controller.signal }); } catch (error) { return [error.name, controller.signal.aborted]; }
        },
        async timeout(url) { try { await fetch(url, { signal: AbortSignal.timeout(5) }); } catch (error) { return error.name; } },
        async twice(url) { const response = await fetch(url); await response.clone().text(); await response.text(); await response.text(); },
    };";

fn app() -> App {
    let actions = ["get(url, init)", "json(url)", "post(url)", "form(url)", "send(url)", "bytes(url)", "headers(url)"];
    let actions = actions.into_iter().chain(["abort(url)", "timeout(url)", "twice(url)"]);
    let actions: Vec<String> = actions.map(|action| format!("app/{action}")).collect();
    App::new(&[("app", SOURCE)], &actions.iter().map(String::as_str).collect::<Vec<_>>())
}

#[tokio::test]
async fn embedded_addresses_are_fetched() {
    let (engine, _) = app().start();
    let address = server();
    let at = |path: &str| format!("http://{address}{path}");
    let asked = |action: &'static str, path: &str| {
        let (engine, url) = (engine.clone(), at(path));
        async move { call(&engine, action, json!([url])).await }
    };
    assert_eq!(asked("app/get", "/a?b").await, Ok(json!([200, true, false, "[\"GET /a?b HTTP/1.1\",null,\"\"]"])));
    assert_eq!(asked("app/json", "/j").await, Ok(json!(["GET /j HTTP/1.1", null, ""])));
    let posted = "[\"POST /p HTTP/1.1\",\"x-mine: yes\",\"{\\\"a\\\":1}\"]";
    assert_eq!(asked("app/post", "/p").await, Ok(json!([200, true, false, posted])));
    let put = "[\"PUT /f HTTP/1.1\",null,\"a=%C3%BC\"]";
    assert_eq!(asked("app/form", "/f").await, Ok(json!([200, true, false, put])));
    assert_eq!(asked("app/send", "/s").await, Ok(json!([200, true, false, "[\"POST /s HTTP/1.1\",null,\"hi\"]"])));
    let moved = "[\"GET /echo?moved HTTP/1.1\",null,\"\"]";
    assert_eq!(asked("app/send", "/moved").await, Ok(json!([200, true, true, moved])));
    assert_eq!(asked("app/bytes", "/bytes").await, Ok(json!([255, 0, 254])));
    assert_eq!(asked("app/get", "/missing").await, Ok(json!([404, false, false, "no"])));
    assert_eq!(asked("app/headers", "/missing").await, Ok(json!(["a, b", false])));
    assert_eq!(asked("app/abort", "/never").await, Ok(json!(["AbortError", true])));
    assert_eq!(asked("app/timeout", "/never").await, Ok(json!("TimeoutError")));
    let manual = call(&engine, "app/get", json!([at("/moved"), {"redirect": "manual"}])).await;
    assert_eq!(manual, Ok(json!([302, false, false, ""])));
    for (action, path, text) in
        [("app/get", "/round", "redirected more than 20 times"), ("app/twice", "/a", "the body was read already")]
    {
        let (code, message) = failure(asked(action, path).await);
        assert_eq!((code, message.contains(text)), ("action_error", true), "{message}");
    }
    for (url, text) in [
        ("file:///etc/passwd", "only http and https"),
        ("nonsense", "is not a valid URL"),
        ("http://127.0.0.1:1/", "fetch failed"),
    ] {
        let (code, message) = failure(call(&engine, "app/get", json!([url])).await);
        assert_eq!((code, message.contains(text)), ("action_error", true), "{message}");
    }
}

#[tokio::test]
async fn embedded_fetches_are_limited() {
    let mut app = app();
    app.limits.fetch_bytes = 1000;
    app.limits.fetches = 1;
    app.limits.fetch_ms = 300;
    let (engine, _) = app.start();
    let address = server();
    let (code, message) = failure(call(&engine, "app/get", json!([format!("http://{address}/large")])).await);
    assert_eq!(
        (code, message.contains("larger than 1000 bytes (limits.fetch_bytes)")),
        ("action_error", true),
        "{message}"
    );
    let never = json!([format!("http://{address}/never")]);
    let (first, second) = tokio::join!(call(&engine, "app/get", never.clone()), call(&engine, "app/get", never));
    let (first, second) = (failure(first).1, failure(second).1);
    assert!(first.contains("limits.fetch_ms"), "{first}");
    assert!(second.contains("limits.fetches"), "{second}");
}
