use serde_json::json;

use crate::support::World;
use crate::support::script::ACTIONS;

/// Pieces of names that lead somewhere on live objects, on disks, or in URLs.
const PIECES: [&str; 44] = [
    "app",
    "echo",
    "auth",
    "login",
    "secret",
    "whoami",
    "store",
    "get",
    "__proto__",
    "constructor",
    "prototype",
    "then",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__defineGetter__",
    "actions",
    "exports",
    "require",
    "module",
    "session",
    "user",
    "call",
    "apply",
    "bind",
    "length",
    "name",
    "0",
    "-1",
    "",
    " ",
    ".",
    "..",
    "%2e%2e",
    "app/echo",
    "app.echo",
    "APP",
    "Echo",
    "écho",
    "\u{0}",
    "\u{202e}",
    "a\nb",
    "*",
    "undefined",
];
const JOINTS: [&str; 6] = ["/", "/", "/", ".", "//", "\\"];

/// The next number of a sequence that is the same in every run (xorshift).
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % 1_000_003).expect("a small number")
}

fn name(state: &mut u64) -> String {
    let mut name = String::new();
    for part in 0..1 + next(state) % 4 {
        if part > 0 {
            name.push_str(JOINTS[next(state) % JOINTS.len()]);
        }
        name.push_str(PIECES[next(state) % PIECES.len()]);
    }
    name
}

#[tokio::test]
async fn ten_thousand_names_call_nothing_but_actions() {
    let world = World::with(|config| {
        config.limits.messages_burst = 20_000;
        config.log.level = 0;
    })
    .await;
    let mut client = world.tab().await;
    let mut state = 0x5eed_1234_5678_9abc;
    let (mut known, mut unknown) = (0, 0);
    for _ in 0..100 {
        // In hundreds: each waits for the one before otherwise.
        let mut asked = Vec::new();
        for _ in 0..100 {
            let name = name(&mut state);
            // Those hang, or write more than their answer.
            if matches!(name.as_str(), "app/hold" | "auth/login") {
                continue;
            }
            asked.push((client.start(&name, json!([])).await, name));
        }
        // Those that run are answered later than those that are refused.
        let mut answers = std::collections::HashMap::new();
        while answers.len() < asked.len() {
            let answer = client.next().await;
            if let Some(id) = answer[1].as_u64().filter(|_| answer[0] == 1 || answer[0] == 2) {
                answers.insert(id, answer);
            }
        }
        for (id, name) in asked {
            let answer = &answers[&id];
            let is_action = ACTIONS.contains(&name.as_str());
            let refused = answer[0] == 2 && answer[2] == "unknown_action";
            assert_eq!(refused, !is_action, "{name:?}: {answer}");
            if is_action { known += 1 } else { unknown += 1 }
        }
    }
    assert!(known > 10 && unknown > 9_000, "{known} known, {unknown} unknown");
}

#[tokio::test]
async fn names_in_urls_call_nothing_but_actions() {
    let world = World::with(|config| config.limits.requests_burst = 20_000).await;
    let mut state = 0x0dd_ba11;
    for _ in 0..400 {
        let name = name(&mut state);
        if matches!(name.as_str(), "app/hold" | "auth/login") || ACTIONS.contains(&name.as_str()) {
            continue;
        }
        let encoded: String = name
            .bytes()
            .map(|b| match b {
                b'/' | b'.' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(b).to_string(),
                b => format!("%{b:02x}"),
            })
            .collect();
        let status = world.get(&format!("/api/{encoded}")).await.status;
        // `app/echo.`, `app/echo.json`: an ending is cut off, a dot alone is not one.
        assert_eq!(status, 404, "{name:?}");
    }
}
