use crate::support::World;
use crate::support::http::raw;

/// Ways up and out.
const STEPS: [&str; 12] = [
    "../",
    "..\\",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%2f",
    "..%5c",
    "%252e%252e%252f",
    "....//",
    "..;/",
    "..%00/",
    "%c0%ae%c0%ae/",
    "./.././",
];
/// What is there to find.
const TARGETS: [&str; 10] = [
    "manifest.json",
    "generations.json",
    "builds/5f3c9a1be2d40718/server/server.js",
    "builds/5f3c9a1be2d40718/server/config/0.json",
    "etc/passwd",
    "secret.txt",
    "state/sessions.db",
    "assets/../../manifest.json",
    "public/../manifest.json",
    "proc/self/environ",
];

#[tokio::test]
async fn a_hundred_and_twenty_ways_lead_nowhere() {
    let world = World::new().await;
    let secret = world.dist().parent().expect("a folder").join("secret.txt");
    std::fs::write(secret, "top secret").expect("a file");
    let mut tried = 0;
    for step in STEPS {
        for (depth, target) in TARGETS.iter().enumerate() {
            for prefix in ["/", "/assets/", "/api/", "/_ss/"] {
                let path = format!("{prefix}{}{target}", step.repeat(1 + depth % 4));
                let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                let reply = raw(world.address, request.as_bytes()).await;
                let text = reply.text();
                let leaks = ["top secret", "root:", "\"build_id\"", "__ss.start", "PATH=", "SQLite format"];
                let found = leaks.iter().find(|leak| text.contains(**leak));
                assert!(found.is_none(), "{path} leads to {found:?}: {text}");
                // The app's own page is no file.
                let page = reply.status == 200 && text.starts_with("<!doctype html><script");
                assert!(page || (400..500).contains(&reply.status), "{path}: {}", reply.status);
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 120);
}
