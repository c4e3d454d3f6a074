//! The console of a running `ssserve`: values, actions with a session, errors, names, and nobody else.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::process::{Process, app, tab};

fn console(folder: &Path, lines: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ssserve"))
        .args(["console"])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ssserve starts");
    child.stdin.take().expect("its input is piped").write_all(lines.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[tokio::test]
async fn lines_are_evaluated_where_the_app_runs() {
    let folder = app();
    let (process, _log) = Process::start_logged(folder.path(), &[]);
    let mut page = tab(process.address, None).await;
    let folder_path = folder.path().to_owned();
    let output = tokio::task::spawn_blocking(move || {
        console(
            &folder_path,
            "1 + 1\n'text'\nconst kept = [1, 2]\nkept.length\n_ * 10\nawait SS.server.app.set(7)\nSS.server.app.get()\nSS.server.app.login('ann')\nsession.user_id\nSS.users.online.now()\nSS.env\nSS.publish.broadcast('said', 'from the console')\n",
        )
    })
    .await
    .expect("it runs");
    assert_eq!(text(&output.stderr), "");
    assert_eq!(
        text(&output.stdout),
        "2\n\"text\"\n[ 1, 2 ]\n2\n20\n\"saved\"\n7\n\"ann\"\n\"ann\"\n[ \"ann\" ]\n\"test\"\nundefined\n"
    );
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(page.until(|message| message[0] == 3).await, json!([3, "*", 1, "said", "from the console"]));
}

#[tokio::test]
async fn what_fails_is_told_and_the_server_goes_on() {
    let folder = app();
    let (process, _log) = Process::start_logged(folder.path(), &[]);
    let folder_path = folder.path().to_owned();
    let lines = "nothing.there\nthrow new Error('mine')\n)\nSS.server.app.spin()\n";
    let output = tokio::task::spawn_blocking(move || console(&folder_path, lines)).await.expect("it runs");
    let told = text(&output.stderr);
    for part in ["nothing is not defined", "Error: mine", "SyntaxError", "interrupted"] {
        assert!(told.contains(part), "{part:?} is not in\n{told}");
    }
    assert_eq!(output.status.code(), Some(2));
    let mut page = tab(process.address, None).await;
    assert_eq!(page.call("app/get", json!([])).await, Ok(json!("undefined")));
}

#[tokio::test]
async fn only_the_servers_own_user_has_a_console() {
    let folder = app();
    let (mut process, _log) = Process::start_logged(folder.path(), &[]);
    let _page = tab(process.address, None).await;
    let socket = folder.path().join(".ssserve/console.sock");
    let folder_path = folder.path().to_owned();
    let first = tokio::task::spawn_blocking(move || console(&folder_path, "1\n")).await.expect("it runs");
    assert_eq!(text(&first.stdout), "1\n");
    let mode = std::fs::metadata(&socket).expect("the socket is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let above = std::fs::metadata(folder.path().join(".ssserve")).expect("the folder").permissions().mode();
    assert_eq!(above & 0o777, 0o700);
    process.kill();
    let folder_path = folder.path().to_owned();
    let gone = tokio::task::spawn_blocking(move || console(&folder_path, "1\n")).await.expect("it runs");
    assert_eq!(gone.status.code(), Some(2));
    assert!(text(&gone.stderr).contains("no server has its console at"), "{}", text(&gone.stderr));
}
