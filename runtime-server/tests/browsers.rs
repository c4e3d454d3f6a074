//! Browsers that cannot run the app get a page that says so.

use crate::support::World;
use crate::support::dist::Dist;
use crate::support::http::{Reply, Request};

const OLD: &str = "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko";
const ABLE: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0";

async fn get(world: &World, path: &str, agent: &str) -> Reply {
    world.send(Request::get(path).header("User-Agent", agent)).await
}

fn dist() -> Dist {
    Dist::new().incompatible("index.html", "<h1>Sorry</h1>").incompatible("app.css", "h1 { color: red }")
}

#[tokio::test]
async fn those_that_are_too_old_get_the_folder() {
    let world = World::of(&dist(), |_| {}).await;
    for path in ["/", "/rooms/1", "/admin"] {
        let reply = get(&world, path, OLD).await;
        assert_eq!((reply.status, reply.text().as_str()), (200, "<h1>Sorry</h1>"), "{path}");
        assert_eq!((reply.header("vary"), reply.header("cache-control")), (Some("user-agent"), Some("no-store")));
    }
    let style = get(&world, "/app.css", OLD).await;
    assert_eq!(
        (style.header("content-type"), style.text().as_str()),
        (Some("text/css; charset=utf-8"), "h1 { color: red }")
    );
    // What others may have cached under its name is what it is.
    assert_eq!(get(&world, "/assets/app-0123456789abcdef.js", OLD).await.text(), crate::support::dist::SCRIPT);
    assert_eq!(get(&world, "/api/app/echo?1", OLD).await.text(), "[\"1\"]");
    for agent in [ABLE, "curl/8.5.0", ""] {
        assert!(get(&world, "/", agent).await.text().contains("<script src="), "{agent}");
        assert_eq!(get(&world, "/app.css", agent).await.status, 404);
    }
}

#[tokio::test]
async fn strictly_only_those_that_are_known_to_be_able_get_the_app() {
    let world = World::of(&dist(), |config| config.browser_check.strict = true).await;
    for (agent, able) in [(ABLE, true), ("curl/8.5.0", false), ("", false), (OLD, false)] {
        assert_eq!(get(&world, "/", agent).await.text().contains("<script src="), able, "{agent}");
    }
    assert_eq!(world.get("/").await.text(), "<h1>Sorry</h1>", "one without a name");
}

#[tokio::test]
async fn without_a_folder_there_is_a_sentence_and_without_a_check_the_app() {
    let world = World::new().await;
    assert!(get(&world, "/", OLD).await.text().contains("<h1>This browser is too old</h1>"));
    let world = World::with(|config| config.browser_check.enabled = false).await;
    assert!(get(&world, "/", OLD).await.text().contains("<script src="));
}
