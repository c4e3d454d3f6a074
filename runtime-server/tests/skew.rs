//! Pages of three builds at servers of three builds: each of forty actions answers, is stale, is unknown or wants a
//! login, exactly as the table says.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::client::Client;
use crate::support::dist::Dist;

const BUILDS: [&str; 3] = ["00000000000000a0", "00000000000000b0", "00000000000000c0"];

/// Name; its parameters in the builds A, B and C; what a page of A, B, C gets from a server of A, then of B, then of C.
///
/// Parameters: `-` is no such action, `...` takes the rest, `!` is guarded, `cb` answers by a callback.
/// Answers: `=` answers, `x` stale, `?` unknown, `g` wants a login.
const ACTIONS: [(&str, [&str; 3], [&str; 3]); 40] = [
    // Never edited.
    ("same/none", ["", "", ""], ["===", "===", "==="]),
    ("same/one", ["a", "a", "a"], ["===", "===", "==="]),
    ("same/two", ["a b", "a b", "a b"], ["===", "===", "==="]),
    ("same/rest", ["a ...", "a ...", "a ..."], ["===", "===", "==="]),
    ("same/guarded", ["a !", "a !", "a !"], ["ggg", "ggg", "ggg"]),
    ("same/callback", ["a cb", "a cb", "a cb"], ["===", "===", "==="]),
    // Gone. At a server that still has it, pages that never knew it may call it.
    ("gone/in_b", ["a", "-", "-"], ["===", "x??", "x??"]),
    ("gone/in_c", ["a", "a", "-"], ["===", "===", "xx?"]),
    ("gone/in_b_and_back", ["a", "-", "a"], ["===", "x?x", "==="]),
    ("gone/in_b_and_back_otherwise", ["a", "-", "b"], ["==x", "x?x", "x=="]),
    ("gone/guarded", ["a !", "a !", "-"], ["ggg", "ggg", "xx?"]),
    ("gone/callback", ["cb", "-", "-"], ["===", "x??", "x??"]),
    // New.
    ("new/in_b", ["-", "a", "a"], ["?xx", "===", "==="]),
    ("new/in_c", ["-", "-", "a"], ["??x", "??x", "==="]),
    ("new/in_b_only", ["-", "a", "-"], ["?x?", "===", "?x?"]),
    ("new/in_b_changed_in_c", ["-", "a", "a b"], ["?xx", "==x", "=x="]),
    ("new/guarded", ["-", "-", "!"], ["??x", "??x", "ggg"]),
    // More or fewer parameters.
    ("more/in_b", ["a", "a b", "a b"], ["=xx", "x==", "x=="]),
    ("more/in_c", ["a", "a", "a b"], ["==x", "==x", "xx="]),
    ("more/each_time", ["a", "a b", "a b c"], ["=xx", "x=x", "xx="]),
    ("more/first", ["b", "a b", "a b"], ["=xx", "x==", "x=="]),
    ("more/from_none", ["", "a", "a"], ["=xx", "x==", "x=="]),
    ("fewer/in_b", ["a b", "a", "a"], ["=xx", "x==", "x=="]),
    ("fewer/in_c", ["a b", "a b", "b"], ["==x", "==x", "xx="]),
    ("fewer/none_left", ["a", "a", ""], ["==x", "==x", "xx="]),
    ("fewer/and_back", ["a b", "a", "a b"], ["=x=", "x=x", "=x="]),
    // Other parameters.
    ("other/name", ["a", "b", "b"], ["=xx", "x==", "x=="]),
    ("other/order", ["from to", "to from", "to from"], ["=xx", "x==", "x=="]),
    ("other/order_in_c", ["from to", "from to", "to from"], ["==x", "==x", "xx="]),
    ("other/case", ["userId", "userid", "userid"], ["=xx", "x==", "x=="]),
    ("other/rest_begins", ["a", "a ...", "a ..."], ["=xx", "x==", "x=="]),
    ("other/rest_ends", ["a ...", "a ...", "a"], ["==x", "==x", "xx="]),
    ("other/guarded", ["a !", "b !", "b !"], ["gxx", "xgg", "xgg"]),
    // What pages do not depend on.
    ("free/guard_comes", ["a", "a !", "a !"], ["===", "ggg", "ggg"]),
    ("free/guard_goes", ["a !", "a !", "a"], ["ggg", "ggg", "==="]),
    ("free/style", ["a", "a cb", "a"], ["===", "===", "==="]),
    ("free/style_in_c", ["a cb", "a cb", "a"], ["===", "===", "==="]),
    // Moved from one file to another: gone here, new there.
    ("moved/from", ["a", "-", "-"], ["===", "x??", "x??"]),
    ("moved/to", ["-", "a", "a"], ["?xx", "===", "==="]),
    // All at once.
    ("all/at_once", ["a b cb", "b a ... !", "-"], ["=x=", "xgg", "xx?"]),
];

fn action(shape: &str) -> Option<Value> {
    let words: Vec<&str> = shape.split(' ').filter(|word| !word.is_empty()).collect();
    if words == ["-"] {
        return None;
    }
    let mut params: Vec<&str> = words.iter().copied().filter(|word| !matches!(*word, "..." | "!" | "cb")).collect();
    let rest = words.contains(&"...");
    if rest {
        params.push("rest");
    }
    let style = if words.contains(&"cb") { "callback" } else { "value" };
    Some(json!({"params": params, "rest": rest, "style": style, "guard": words.contains(&"!")}))
}

fn build(index: usize) -> Dist {
    let shapes = ACTIONS.iter().filter_map(|(name, shapes, _)| Some((format!("skew/{name}"), action(shapes[index])?)));
    let mut actions: serde_json::Map<String, Value> = shapes.collect();
    actions.insert("app/echo".to_owned(), action("...").expect("an action"));
    Dist::new().change(|manifest| {
        manifest["build_id"] = json!(BUILDS[index]);
        manifest["api"]["server"] = Value::Object(actions);
    })
}

async fn page(world: &World, build_id: &str) -> Client {
    let mut client = Client::connect(world.address, None).await;
    client.hello_from(build_id, json!(null)).await;
    client.welcome().await;
    client
}

async fn answer(client: &mut Client, name: &str) -> char {
    match client.call(&format!("skew/{name}"), json!([1])).await {
        Ok(_) => '=',
        Err(code) => match code.as_str() {
            "stale_client" => 'x',
            "unknown_action" => '?',
            "not_authenticated" => 'g',
            other => panic!("{name}: {other}"),
        },
    }
}

/// What pages of all three builds get from the server as it is.
async fn column(pages: &mut [Client]) -> Vec<String> {
    let mut column = Vec::new();
    for (name, _, _) in ACTIONS {
        let mut row = String::new();
        for page in &mut *pages {
            row.push(answer(page, name).await);
        }
        column.push(row);
    }
    column
}

fn expected(server: usize) -> Vec<String> {
    // At a server that has it, a page whose build never had it is answered; so the table says for unchanged ones.
    ACTIONS.iter().map(|(_, _, answers)| answers[server].to_owned()).collect()
}

#[tokio::test]
async fn three_builds_and_forty_actions() {
    let world = World::of(&build(0), |config| config.limits.messages_burst = 10_000).await;
    // The pages of the later builds are told nothing of theirs: so the server has to know all three.
    world.swap(&build(1)).await;
    world.swap(&build(2)).await;
    let mut pages = Vec::new();
    for build_id in BUILDS {
        pages.push(page(&world, build_id).await);
    }
    assert_eq!(column(&mut pages).await, expected(2), "the server of C");
    world.swap(&build(1)).await;
    assert_eq!(column(&mut pages).await, expected(1), "the server of B");
    world.swap(&build(0)).await;
    assert_eq!(column(&mut pages).await, expected(0), "the server of A");
}

#[tokio::test]
async fn builds_that_lie_beside_the_served_one_are_known_after_a_restart() {
    let mut world = World::of(&build(2), |_| {}).await;
    for index in [0, 1, 2] {
        build(index).publish(&world.dist());
    }
    world.restart().await;
    let mut pages = Vec::new();
    for build_id in BUILDS {
        pages.push(page(&world, build_id).await);
    }
    assert_eq!(column(&mut pages).await, expected(2));
}

#[tokio::test]
async fn of_an_unknown_build_only_what_is_gone_is_stale() {
    let world = World::of(&build(2), |_| {}).await;
    let (mut unknown, mut no_page) = (page(&world, "0123456789abcdef").await, page(&world, "").await);
    for (name, in_c) in [("same/one", true), ("more/in_b", true), ("gone/in_b", false)] {
        assert_eq!(answer(&mut unknown, name).await, if in_c { '=' } else { 'x' }, "{name}");
        assert_eq!(answer(&mut no_page, name).await, if in_c { '=' } else { '?' }, "{name}");
    }
}
