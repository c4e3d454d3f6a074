//! Clients that come, do what clients do, and go, for as long as asked: the server's memory and descriptors stay as they are.
//!
//! A few seconds in the suite, where only the descriptors are looked at; with `SSBUILD_SOAK=1` for `SSBUILD_SOAK_SECONDS`
//! (30 minutes), with the memory, too.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Process, tab};
use crate::support::client::{Client, PATIENCE, outcome};
use crate::support::dist::Dist;
use crate::support::http::Request;

/// Browsers at work at a time.
const BROWSERS: u64 = 12;
/// Between two things that a browser does: this is about time, not about load.
const PAUSE: Duration = Duration::from_millis(10);
/// More descriptors that count as none: those of a spare that was still starting, and what an engine opens once it is used. Each
/// connection that is left behind would be one more.
const SLACK_DESCRIPTORS: usize = 40;
/// Growth that counts as none, in bytes: allocators and collectors move by as much.
const SLACK_BYTES: u64 = 4 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn embedded_churn_leaves_nothing_behind() {
    churn("embedded").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn node_churn_leaves_nothing_behind() {
    churn("node").await;
}

/// What was done.
#[derive(Default)]
struct Done {
    connections: AtomicU64,
    logins: AtomicU64,
    calls: AtomicU64,
    events: AtomicU64,
    /// Visits that did not get what they asked for.
    failed: AtomicU64,
}

/// What the server and its engine's processes hold.
#[derive(Debug, Clone, Copy)]
struct Held {
    bytes: u64,
    descriptors: usize,
}

async fn churn(engine: &str) {
    let soak = std::env::var_os("SSBUILD_SOAK").is_some();
    let seconds = std::env::var("SSBUILD_SOAK_SECONDS").ok().and_then(|text| text.parse().ok());
    let lasts = Duration::from_secs(if soak { seconds.unwrap_or(30 * 60) } else { 2 });
    let folder = app(engine);
    // What is kept for a while shall come and go several times within the test.
    let kept = (lasts.as_millis() / 10).min(60_000).to_string();
    let (process, log) = Process::start_logged(
        folder.path(),
        &[
            ("SS__LIMITS__UNSAVED_SESSION_MS", &kept),
            ("SS__LIMITS__ANSWER_MEMORY_MS", &kept),
            ("SS__LIMITS__HISTORY_MS", &kept),
            ("SS__LIMITS__CONNECTS_PER_SECOND", "100000"),
            // Another test's server may have the usual address, and an error would be logged.
            ("SS__SERVER__ADMIN", "off"),
        ],
    );
    let (id, address) = (process.id(), process.address);
    visit(address, None, 0, &Done::default()).await;
    // The worker at work and the spare.
    let workers = if engine == "node" { 2 } else { 0 };
    let quiet = nobody_there(id, workers, usize::MAX).await;

    let (done, over) = (Arc::new(Done::default()), Arc::new(AtomicBool::new(false)));
    let browsers: Vec<_> = (0..BROWSERS)
        .map(|browser| {
            let (done, over) = (Arc::clone(&done), Arc::clone(&over));
            tokio::spawn(async move {
                let mut cookie = None;
                for round in 0.. {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    // Half of them are always new.
                    let known = cookie.take().filter(|_| browser.is_multiple_of(2) && round % 50 != 0);
                    let seen = Arc::clone(&done);
                    let visit = tokio::spawn(async move { visit(address, known, browser, &seen).await });
                    cookie = visit.await.unwrap_or_else(|_| {
                        done.failed.fetch_add(1, Ordering::Relaxed);
                        None
                    });
                }
            })
        })
        .collect();
    let started = Instant::now();
    let mut seen = Vec::new();
    while started.elapsed() < lasts {
        tokio::time::sleep(lasts / 120).await;
        seen.push(held(id));
    }
    over.store(true, Ordering::Relaxed);
    for browser in browsers {
        browser.await.expect("a browser gets what it asks for");
    }
    let last = nobody_there(id, workers, quiet.descriptors + SLACK_DESCRIPTORS).await;
    let [early, late] = [&seen[seen.len() / 3..seen.len() * 2 / 3], &seen[seen.len() * 2 / 3..]].map(low_bytes);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    #[expect(clippy::print_stdout, reason = "shown with --nocapture")]
    {
        println!(
            "{engine}: {} s, {} connections, {} logins, {} calls, {} events, {} visits failed; memory {} kB in the second third, {} kB in the last, {} kB when all had gone; \
         descriptors {} before, {} after",
            lasts.as_secs(),
            count(&done.connections),
            count(&done.logins),
            count(&done.calls),
            count(&done.events),
            count(&done.failed),
            early / 1024,
            late / 1024,
            last.bytes / 1024,
            quiet.descriptors,
            last.descriptors,
        );
        let mib: Vec<u64> = seen.iter().map(|held| held.bytes / 1024 / 1024).collect();
        println!("{engine}: {mib:?} MiB");
    }
    // A machine that has no time for half a minute makes calls end for want of it: in half an hour that is no wonder.
    let allowed = if soak { count(&done.connections) / 100 } else { 0 };
    assert!(count(&done.failed) <= allowed, "{} visits failed", count(&done.failed));
    if soak {
        assert!(late <= early + early / 20 + SLACK_BYTES, "memory grew from {early} to {late} bytes");
    }
    assert!(soak || !log.text().contains("error"), "{}", log.text());
}

/// One visit of a browser: connects, logs in, subscribes, calls, publishes, leaves. Its cookie.
async fn visit(address: SocketAddr, cookie: Option<String>, browser: u64, done: &Done) -> Option<String> {
    let mut client = tab(address, cookie.as_deref()).await;
    done.connections.fetch_add(1, Ordering::Relaxed);
    tokio::time::sleep(PAUSE).await;
    let user = format!("user{browser}");
    let login = client.start("app/login", json!([user])).await;
    let mut answer = client.until(|message| message[0] == 6 || message[1] == login).await;
    let mut cookie = client.cookie.clone();
    // Who is logged in already gets the answer alone.
    if answer[0] == 6 {
        let body = json!({"ticket": answer[1]}).to_string();
        let origin = format!("http://{address}");
        let request = Request::post("/_ss/session", "application/json", &body).header("Origin", &origin);
        let reply = request.send(address).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        cookie = reply.cookie();
        answer = client.answer(login).await;
        done.logins.fetch_add(1, Ordering::Relaxed);
    }
    assert_eq!(outcome(&answer), Ok(json!(user)));
    let room = format!("room{}", browser % 4);
    for (action, args) in [
        ("app/join", json!([room])),
        ("app/keep", json!(["n", browser])),
        ("app/echo", json!([{"text": "x".repeat(500)}])),
        ("app/later", json!([1])),
    ] {
        assert_eq!(client.call(action, args).await.err(), None, "{action}");
        done.calls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(PAUSE).await;
    }
    let said = client.start("app/say", json!([room, browser])).await;
    let mine = |message: &Value| message[0] == 3 && message[3] == "said" && message[4] == browser;
    client.until(mine).await;
    client.answer(said).await;
    done.events.fetch_add(1, Ordering::Relaxed);
    if browser.is_multiple_of(3) {
        assert_eq!(client.call("app/leave", json!([room])).await.err(), None);
        assert_eq!(client.call("app/logout", json!([])).await.err(), None);
    }
    leave(client, browser).await;
    cookie
}

/// Some say that they go.
async fn leave(mut client: Client, browser: u64) {
    if browser.is_multiple_of(2) {
        let _ = client.send_raw(tokio_tungstenite::tungstenite::Message::Close(None)).await;
    }
}

fn app(engine: &str) -> TempDir {
    let action = |params: &[&str]| json!({"params": params, "style": "value"});
    let dist = Dist::new()
        .server(
            json!({
                "app/login": action(&["user"]), "app/logout": action(&[]), "app/join": action(&["room"]), "app/leave": action(&["room"]),
                "app/keep": action(&["key", "value"]), "app/echo": action(&["value"]), "app/later": action(&["ms"]),
                "app/say": action(&["room", "text"]),
            }),
            r#"__ss.define({1: [function (module, exports, require) {
                exports.actions = {
                    async login(user) { await this.session.setUserId(user); return this.session.user_id; },
                    async logout() { await this.session.user.logout(); },
                    async join(room) {
                        this.session.on("disconnect", (session) => { SS.publish.channel(room, "gone", session.user_id); });
                        await this.session.channel.subscribe(room);
                    },
                    async leave(room) { await this.session.channel.unsubscribe(room); },
                    async keep(key, value) { this.session.attributes[key] = value; await this.session.save(); },
                    echo: (value) => value,
                    later: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
                    say(room, text) { SS.publish.channel(room, "said", text); },
                };
            }, []]});
            __ss.start({shared: {}, server: {app: 1}, named: {}}, [1]);"#,
        )
        .change(|manifest| manifest["server"]["engine"] = json!(engine));
    let folder = tempfile::tempdir().expect("a folder for the test");
    dist.write(&folder.path().join("dist"));
    folder
}

/// What is held once the last connection has ended, with so many processes of the engine, and at most so many descriptors.
async fn nobody_there(id: u32, workers: usize, most: usize) -> Held {
    let until = Instant::now() + PATIENCE;
    loop {
        let now = held(id);
        if sockets(id) == 0 && children(id).len() == workers && now.descriptors <= most {
            return now;
        }
        assert!(Instant::now() < until, "descriptors stay open: {most} are allowed, {now:?}");
        tokio::time::sleep(PAUSE).await;
    }
}

fn held(id: u32) -> Held {
    let mut held = Held { bytes: resident_bytes(id), descriptors: descriptors(id).len() };
    for child in children(id) {
        held.bytes += resident_bytes(child);
        held.descriptors += descriptors(child).len();
    }
    held
}

/// The processes that any of its threads has started.
fn children(id: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).expect("the process runs").flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<_>>()).collect()
}

fn resident_bytes(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

fn descriptors(id: u32) -> Vec<std::path::PathBuf> {
    let links = std::fs::read_dir(format!("/proc/{id}/fd")).expect("the process runs").flatten();
    links.filter_map(|link| std::fs::read_link(link.path()).ok()).collect()
}

/// TCP connections of the process.
fn sockets(id: u32) -> usize {
    let own: Vec<String> = descriptors(id).iter().filter_map(|path| inode(path)).collect();
    let table = std::fs::read_to_string(format!("/proc/{id}/net/tcp")).expect("the process runs");
    // Columns: …, state (01 is an open connection), …, inode.
    let open = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    open.filter(|line| line[3] != "0A" && own.iter().any(|own| own == line[9])).count()
}

fn inode(link: &Path) -> Option<String> {
    Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
}

/// What is held at the least, but for a tenth of the looks: collectors of garbage let memory rise while the processor is busy with
/// other things, and what is never let go of raises what they come down to.
fn low_bytes(seen: &[Held]) -> u64 {
    let mut bytes: Vec<u64> = seen.iter().map(|held| held.bytes).collect();
    bytes.sort_unstable();
    bytes[bytes.len() / 10]
}
