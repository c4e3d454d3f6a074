//! Pages and files over HTTP.

use serde_json::json;

use crate::support::World;
use crate::support::dist::{Dist, SCRIPT, big};
use crate::support::http::{Request, raw};

const APP_JS: &str = "/assets/app-0123456789abcdef.js";

#[tokio::test]
async fn the_page_has_its_policy_and_is_asked_for_again() {
    let world = World::new().await;
    let page = world.get("/").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text(), "<!doctype html><script src=\"/assets/app.js\"></script>");
    let expected = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-cache"),
        ("content-security-policy", "default-src 'self'; object-src 'none'; script-src 'self' 'sha256-abc='"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "SAMEORIGIN"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("vary", "accept-encoding"),
    ];
    for (name, value) in expected {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    let tag = page.header("etag").expect("a tag").to_owned();
    let again = world.send(Request::get("/").header("If-None-Match", &tag)).await;
    assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag.as_str())));
    assert!(again.header("content-security-policy").is_some());
    let packed = world.send(Request::get("/").header("Accept-Encoding", "gzip, br")).await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert_ne!(packed.header("etag"), Some(tag.as_str()));
    let mut plain = vec![0; 1000];
    let mut unpacker = libdeflater::Decompressor::new();
    let length = unpacker.gzip_decompress(&packed.body, &mut plain).expect("it is gzip");
    assert_eq!(&plain[..length], page.body);
}

#[tokio::test]
async fn assets_elsewhere_are_named_in_page_and_policy() {
    let world = World::with(|config| config.build.cdn_base = Some("https://cdn.example.test/chat/".to_owned())).await;
    let page = world.get("/").await;
    let text = "<!doctype html><script src=\"https://cdn.example.test/chat/assets/app.js\" crossorigin=\"anonymous\"></script>";
    assert_eq!(page.text(), text);
    assert_eq!(
        page.header("content-security-policy"),
        Some(
            "default-src 'self' https://cdn.example.test; object-src 'none'; script-src 'self' 'sha256-abc=' https://cdn.example.test"
        ),
    );
}

#[tokio::test]
async fn routes_return_the_page_and_names_do_not() {
    let world = World::new().await;
    for (path, status, text) in [
        ("/rooms", 200, "<!doctype"),
        ("/rooms/12/edit", 200, "<!doctype"),
        ("/rooms?x=y.z", 200, "<!doctype"),
        ("/admin", 200, "admin"),
        ("/admin/users", 200, "admin"),
        ("/administrator", 200, "<!doctype"),
        ("/rooms/caf%C3%A9%20au%20lait", 200, "<!doctype"),
        ("/rooms/caf%C3", 404, "there is nothing here"),
        ("/rooms/a%00", 404, "there is nothing here"),
        ("/rooms/a%2eb", 404, "there is nothing here"),
        ("/missing.js", 404, "there is nothing here"),
        ("/rooms/a.b", 404, "there is nothing here"),
        ("/_ss/other", 404, "there is nothing here"),
        ("/assets/none", 200, "<!doctype"),
    ] {
        let reply = world.get(path).await;
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.text().starts_with(text), "{path}: {}", reply.text());
    }
    let post = world.send(Request::post("/", "text/plain", "x")).await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn fingerprinted_files_last_and_others_do_not() {
    let world = World::new().await;
    let script = world.get(APP_JS).await;
    assert_eq!((script.status, script.text().as_str()), (200, SCRIPT));
    assert_eq!(script.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("access-control-allow-origin"), Some("*"));
    let robots = world.get("/robots.txt").await;
    assert_eq!((robots.text().as_str(), robots.header("cache-control")), ("User-agent: *\n", Some("no-cache")));
    for path in ["/with%20space.txt", "/with space.txt"] {
        let status = world.get(path).await.status;
        assert_eq!(status, if path.contains('%') { 200 } else { 400 }, "{path}");
    }
}

#[tokio::test]
async fn a_script_says_where_its_public_map_is() {
    let dist = Dist::new().change(|manifest| manifest["assets"]["app.js"]["map"] = json!("big.bin"));
    let world = World::of(&dist, |_| {}).await;
    assert_eq!(world.get(APP_JS).await.header("sourcemap"), Some("/assets/big-aaaaaaaaaaaaaaaa.bin"));
    assert_eq!(World::new().await.get(APP_JS).await.header("sourcemap"), None);
}

#[tokio::test]
async fn packed_copies_go_to_those_who_take_them() {
    let world = World::new().await;
    let plain_tag = world.get(APP_JS).await.header("etag").expect("a tag").to_owned();
    for (accepted, coding, text) in [
        ("br", Some("br"), "br of app.js"),
        ("gzip, br", Some("br"), "br of app.js"),
        ("gzip;q=1.0, br;q=0.5", Some("gzip"), "gzip of app.js"),
        ("br;q=0, gzip", Some("gzip"), "gzip of app.js"),
        ("zstd", None, SCRIPT),
        ("*;q=0", None, SCRIPT),
        ("", None, SCRIPT),
    ] {
        let reply = world.send(Request::get(APP_JS).header("Accept-Encoding", accepted)).await;
        assert_eq!((reply.header("content-encoding"), reply.text().as_str()), (coding, text), "{accepted}");
        assert_eq!(reply.header("vary"), Some("accept-encoding"));
        let tag = reply.header("etag").expect("a tag").to_owned();
        assert_eq!(tag == plain_tag, coding.is_none(), "other bytes have another tag");
        let known = Request::get(APP_JS).header("Accept-Encoding", accepted).header("If-None-Match", &tag);
        assert_eq!(world.send(known).await.status, 304);
    }
    // A range is one of the plain bytes.
    let part = world.send(Request::get(APP_JS).header("Accept-Encoding", "br").header("Range", "bytes=0-6")).await;
    assert_eq!((part.status, part.text().as_str(), part.header("content-encoding")), (206, "console", None));
}

#[tokio::test]
async fn ranges_of_small_and_large_files() {
    let world = World::new().await;
    let (dot, large) = ("/assets/images/dot-00112233445566ff.png", "/assets/big-aaaaaaaaaaaaaaaa.bin");
    let ten: Vec<u8> = (0..10).collect();
    for (path, whole) in [(dot, ten), (large, big())] {
        let length = whole.len();
        assert_eq!(world.get(path).await.body, whole);
        let get = |range: String| world.send(Request::get(path).header("Range", &range));
        let reply = get("bytes=2-5".to_owned()).await;
        assert_eq!((reply.status, reply.body.as_slice()), (206, &whole[2..6]));
        assert_eq!(reply.header("content-range"), Some(format!("bytes 2-5/{length}").as_str()));
        assert_eq!(reply.header("content-length"), Some("4"));
        assert_eq!(get("bytes=-3".to_owned()).await.body, whole[length - 3..]);
        assert_eq!(get(format!("bytes={}-", length - 1)).await.body, whole[length - 1..]);
        let beyond = get(format!("bytes={length}-")).await;
        assert_eq!((beyond.status, beyond.header("content-range")), (416, Some(format!("bytes */{length}").as_str())));
        let several = get("bytes=0-1,4-5,-1".to_owned()).await;
        assert_eq!((several.status, several.header("content-range")), (206, None));
        let kind = several.header("content-type").expect("a type");
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("several parts");
        let part = |range: &str, bytes: &[u8]| {
            let of_part = reply.header("content-type").expect("a type");
            let head =
                format!("\r\n--{boundary}\r\nContent-Type: {of_part}\r\nContent-Range: bytes {range}/{length}\r\n\r\n");
            [head.as_bytes(), bytes].concat()
        };
        let last = length - 1;
        let end = format!("\r\n--{boundary}--\r\n").into_bytes();
        let parts =
            [part("0-1", &whole[..2]), part("4-5", &whole[4..6]), part(&format!("{last}-{last}"), &whole[last..]), end];
        assert_eq!(several.body, parts.concat());
        assert_eq!(several.header("content-length"), Some(several.body.len().to_string().as_str()));
        let tag = reply.header("etag").expect("a tag").to_owned();
        let same = Request::get(path).header("Range", "bytes=0-0").header("If-Range", &tag);
        assert_eq!(world.send(same).await.status, 206);
        let stale = Request::get(path).header("Range", "bytes=0-0").header("If-Range", "\"other\"");
        assert_eq!(world.send(stale).await.status, 200);
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::new().await;
    for path in ["/", APP_JS, "/robots.txt", "/assets/big-aaaaaaaaaaaaaaaa.bin"] {
        let (get, head) = (world.get(path).await, world.send(Request::new("HEAD", path)).await);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        for name in ["content-length", "content-type", "etag", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn files_of_earlier_builds_are_still_there_and_other_files_are_not() {
    let dist = Dist::new()
        .file("public/assets/old-fedcba9876543210.css", b"old{}")
        .file("public/assets/old-fedcba9876543210.css.gz", b"packed")
        .file("public/assets/deep/old-fedcba9876543210.woff2", b"font")
        .file("public/assets/stranger.js", b"no fingerprint")
        .file("public/robots.txt", b"a copy for static hosts")
        .file("builds/aaaa/server/server.js", b"secret");
    let world = World::of(&dist, |_| {}).await;
    let old = world.get("/assets/old-fedcba9876543210.css").await;
    assert_eq!(
        (old.status, old.text().as_str(), old.header("content-type")),
        (200, "old{}", Some("text/css; charset=utf-8"))
    );
    assert_eq!(old.header("cache-control"), Some("public, max-age=31536000, immutable"));
    let packed = Request::get("/assets/old-fedcba9876543210.css").header("Accept-Encoding", "gzip");
    assert_eq!(world.send(packed).await.text(), "packed");
    assert_eq!(world.get("/assets/deep/old-fedcba9876543210.woff2").await.header("content-type"), Some("font/woff2"));
    for path in [
        "/assets/stranger.js",
        "/assets/old-fedcba9876543210.css.gz",
        "/public/robots.txt",
        "/builds/aaaa/server/server.js",
        "/manifest.json",
        "/server/server.js",
    ] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn no_string_leads_out_of_the_build() {
    let world = World::new().await;
    let steps = [
        "..",
        "%2e%2e",
        ".%2e",
        "%2E.",
        "%252e%252e",
        "..;",
        "..%00",
        "....",
        "..%c0%af",
        "%c0%ae%c0%ae",
        "%uff0e%uff0e",
        ".",
    ];
    let starts = ["/", "/assets/", "//", "/assets/images/", "/%2f", "/\\", "/assets/%5c", "/api/", "/_ss/"];
    let mut tried = 0;
    for start in starts {
        for step in steps {
            let separators: &[&str] = if start == "/assets/" { &["/", "%2f", "%5c"] } else { &["/"] };
            for separator in separators {
                let path = format!("{start}{}manifest.json", [step, separator].concat().repeat(3));
                let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                let reply = raw(world.address, request.as_bytes()).await;
                // What has no dot in it after all is a route of the page.
                let page = reply.status == 200 && reply.text().starts_with("<!doctype html><script");
                assert!(page || matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
                assert!(!reply.text().contains("build_id"), "{path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 120, "{tried}");
}

#[tokio::test]
async fn a_file_that_changed_on_disk_is_not_served_half() {
    let world = World::new().await;
    std::fs::write(world.dist().join("public/assets/images/dot-00112233445566ff.png"), b"shorter")
        .expect("it is written");
    assert_eq!(world.get("/assets/images/dot-00112233445566ff.png").await.status, 500);
}

#[tokio::test]
async fn small_files_are_kept_in_memory_and_others_are_not() {
    let dot = "public/assets/images/dot-00112233445566ff.png";
    for (cached_file_bytes, cache_bytes, kept) in [(10, 100, true), (9, 100, false), (100, 9, false)] {
        let world = World::with(|config| {
            config.limits.cached_file_bytes = cached_file_bytes;
            config.limits.cache_bytes = cache_bytes;
        })
        .await;
        let get = || world.get("/assets/images/dot-00112233445566ff.png");
        let first = get().await.body;
        std::fs::write(world.dist().join(dot), [7; 10]).expect("it is written");
        let expected = if kept { first } else { vec![7; 10] };
        assert_eq!(get().await.body, expected, "{cached_file_bytes} of {cache_bytes}");
    }
}

#[tokio::test]
async fn pages_without_a_policy_when_it_is_switched_off() {
    let world = World::with(|config| config.csp.enabled = false).await;
    assert_eq!(world.get("/").await.header("content-security-policy"), None);
}
