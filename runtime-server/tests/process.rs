//! `ssserve` itself, with its engine: flags, banner, exit codes, signals, and an end without warning.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use crate::support::Lines;
use crate::support::client::Client;
use crate::support::dist::Dist;

/// A running `ssserve`, ended with the test.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) banner: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ssserve"));
    command.current_dir(folder).env_remove("SS_ENV");
    command.env("SS__HTTP__HOSTNAME", "127.0.0.1").env("SS__HTTP__PORT", "0");
    command
}

impl Process {
    fn start(folder: &Path) -> Self {
        Self::run(command(folder).stderr(Stdio::null()))
    }

    /// One whose log is read, with more variables in its environment.
    pub(crate) fn start_logged(folder: &Path, variables: &[(&str, &str)]) -> (Self, Lines) {
        let mut process = Self::run(command(folder).envs(variables.iter().copied()).stderr(Stdio::piped()));
        let (lines, mut log) = (Lines::default(), process.child.stderr.take().expect("its log is piped"));
        let mut into = lines.clone();
        std::thread::spawn(move || std::io::copy(&mut log, &mut into));
        (process, lines)
    }

    /// Ends it without a word.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().expect("kill runs").success());
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("ssserve starts");
        let mut banner = String::new();
        let out = child.stdout.take().expect("its output is piped");
        BufReader::new(out).read_line(&mut banner).expect("it prints a banner");
        let port = banner.split("localhost:").nth(1).and_then(|rest| rest.split(' ').next());
        let port: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("a port in {banner:?}"));
        Self { child, address: ([127, 0, 0, 1], port).into(), banner }
    }
}

pub(crate) fn app() -> TempDir {
    let action = |params: &[&str]| json!({"params": params, "style": "value"});
    let dist = Dist::new().server(
        json!({
            "app/set": action(&["value"]), "app/get": action(&[]), "app/spin": action(&[]), "app/login": action(&["user"]),
            "app/whoami": action(&[]), "app/say": action(&["text"]),
        }),
        r#"__ss.define({1: [function (module, exports, require) {
            exports.actions = {
                async set(value) { this.session.attributes.value = value; await this.session.save(); return "saved"; },
                get() { return this.session.attributes.value; },
                spin() { for (;;) {} },
                async login(user) { await this.session.setUserId(user); return this.session.user_id; },
                whoami() { return this.session.user_id; },
                say(text) { SS.publish.broadcast("said", text); return true; },
            };
        }, []]});
        __ss.start({shared: {}, server: {app: 1}, named: {}}, [1]);"#,
    );
    let folder = tempfile::tempdir().expect("a folder for the test");
    dist.write(&folder.path().join("dist"));
    folder
}

pub(crate) async fn tab(address: SocketAddr, cookie: Option<&str>) -> Client {
    let mut client = Client::connect(address, cookie).await;
    client.hello(json!(null)).await;
    client.welcome().await;
    client
}

/// Killed at a moment of its own choosing, as a power cut would: what `save()` answered is there. 100 times with `SSBUILD_SOAK=1`.
#[tokio::test]
async fn what_was_saved_survives_every_kill() {
    let kills = if std::env::var_os("SSBUILD_SOAK").is_some() { 100 } else { 6 };
    let folder = app();
    let (mut saved, mut cookie) = (None, None);
    for kill in 0..kills {
        let mut process = Process::start(folder.path());
        let mut client = tab(process.address, cookie.as_deref()).await;
        let found = client.call("app/get", json!([])).await.expect("it answers");
        match saved {
            // The one after it may have been on its way.
            Some(saved) => assert!(found == saved || found == saved + 1, "{found} after {saved}, kill {kill}"),
            None => assert_eq!(found, "undefined"),
        }
        cookie = client.cookie.clone();
        let first = saved.map_or(0, |_| found.as_u64().expect("a number") + 1);
        for n in first..first + 3 + kill % 7 {
            assert_eq!(client.call("app/set", json!([n])).await, Ok(json!("saved")));
            saved = Some(n);
        }
        // One more, of which nobody knows.
        client.start("app/set", json!([saved.expect("there were some") + 1])).await;
        if kill % 2 == 0 {
            client.send_raw(tokio_tungstenite::tungstenite::Message::Ping(vec![].into())).await.expect("it is sent");
        }
        process.kill();
    }
}

#[tokio::test]
async fn a_saved_session_survives_an_end_without_warning() {
    let folder = app();
    let mut process = Process::start(folder.path());
    assert!(process.banner.starts_with("chat on http://localhost:"), "{}", process.banner);
    assert!(process.banner.contains("(test, build 5f3c9a1be2d40718, 2 pages, 5 files, 6 actions, ready in "));
    let mut client = tab(process.address, None).await;
    let cookie = client.cookie.clone();
    for n in 0..20 {
        assert_eq!(client.call("app/set", json!([n])).await, Ok(json!("saved")));
    }
    process.child.kill().expect("it is killed");
    process.child.wait().expect("it is gone");
    let process = Process::start(folder.path());
    let mut client = tab(process.address, cookie.as_deref()).await;
    assert_eq!(client.call("app/get", json!([])).await, Ok(json!(19)));
}

#[tokio::test]
async fn the_engine_answers_logs_in_and_publishes() {
    let folder = app();
    let process = Process::start(folder.path());
    let (mut one, mut two) = (tab(process.address, None).await, tab(process.address, None).await);
    one.call("app/say", json!(["hi"])).await.expect("it is published");
    assert_eq!(two.settle().await, [json!([3, "*", 1, "said", "hi"])]);
    let id = one.start("app/login", json!(["alice"])).await;
    let ticket = loop {
        let message = one.next().await;
        if message[0] == 6 {
            break message[1].as_str().expect("text").to_owned();
        }
    };
    let body = json!({"ticket": ticket}).to_string();
    let redeem = crate::support::http::Request::post("/_ss/session", "application/json", &body)
        .header("Origin", &format!("http://{}", process.address));
    assert_eq!(redeem.send(process.address).await.status, 204);
    assert_eq!(one.answer(id).await, json!([1, id, "alice"]));
    assert_eq!(one.call("app/whoami", json!([])).await, Ok(json!("alice")));
}

#[tokio::test]
async fn an_endless_action_costs_only_its_caller() {
    let folder = app();
    let process = Process::start(folder.path());
    let (mut one, mut two) = (tab(process.address, None).await, tab(process.address, None).await);
    let spinning = one.start("app/spin", json!([])).await;
    assert_eq!(one.answer(spinning).await[2], "interrupted");
    assert_eq!(two.call("app/get", json!([])).await, Ok(json!("undefined")));
}

#[tokio::test]
async fn a_signal_ends_it_well() {
    let folder = app();
    let mut process = Process::start(folder.path());
    let mut client = tab(process.address, None).await;
    process.signal("TERM");
    assert_eq!(client.next().await[0], 7);
    assert_eq!(client.closed().await, 1012);
    drop(client);
    assert_eq!(process.child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn what_cannot_run_exits_with_2_and_says_why() {
    let folder = app();
    let run = |change: &dyn Fn(&mut Command)| {
        let mut command = command(folder.path());
        change(&mut command);
        let output = command.output().expect("ssserve starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned(), output.stdout)
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    type Change<'a> = &'a dyn Fn(&mut Command);
    let cases: [(&str, Change<'_>); 6] = [
        ("the build in this folder is for `test`, not for `production`", &|c| {
            c.args(["--env", "production"]);
        }),
        ("the build in this folder is for `test`, not for `staging`", &|c| {
            c.env("SS_ENV", "staging");
        }),
        ("cannot listen on 127.0.0.1", &|c| {
            *c = Command::new(env!("CARGO_BIN_EXE_ssserve"));
            c.current_dir(folder.path()).args(["--host", "127.0.0.1", "--port", &port]);
        }),
        ("unexpected argument", &|c| {
            c.arg("--nonsense");
        }),
        ("`http.port`", &|c| {
            c.env("SS__HTTP__PORT", "many");
        }),
        ("cannot use", &|c| {
            c.args(["--state-dir", "dist/manifest.json/state"]);
        }),
    ];
    for (reason, change) in cases {
        let (code, stderr, stdout) = run(change);
        assert_eq!((code, stdout.len()), (Some(2), 0), "{reason}: {stderr}");
        assert!(stderr.contains(reason), "{reason} is not in {stderr}");
    }
}

#[test]
fn two_processes_do_not_share_their_state() {
    let folder = app();
    let _first = Process::start(folder.path());
    let mut second = command(folder.path()).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it starts");
    let mut said = String::new();
    second.stderr.take().expect("it is piped").read_to_string(&mut said).expect("it says why");
    assert_eq!(second.wait().expect("it ends").code(), Some(2));
    assert!(said.contains("is in use by another server"), "{said}");
}
