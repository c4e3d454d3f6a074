//! Packages of npm for servers, in an app on Node.js, against a real PostgreSQL and a real Redis. What they need is in
//! `tests/packages`; `scripts/setup-tests.sh` installs it.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ssbuild_server::manifest::{EngineKind, Manifest};
use tempfile::TempDir;

use crate::served::Served;

/// Who runs PostgreSQL when the tests run as root, which it refuses.
const NOBODY: u32 = 65_534;

/// A server that a test has started; it ends with this.
struct Database {
    child: Child,
    folder: TempDir,
}

impl Drop for Database {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Database {
    fn folder(&self) -> &str {
        self.folder.path().to_str().expect("a temporary folder has a name in UTF-8")
    }
}

/// Reads lines until one says so; the rest is read and forgotten, so that the writer never waits.
fn wait_for(output: impl Read + Send + 'static, text: &str) {
    let mut lines = BufReader::new(output).lines();
    let mut said = String::new();
    let found = lines.by_ref().map_while(Result::ok).any(|line| {
        said.push_str(&line);
        said.push('\n');
        line.contains(text)
    });
    assert!(found, "it did not start:\n{said}");
    std::thread::spawn(move || lines.for_each(drop));
}

fn redis() -> Database {
    let folder = TempDir::new().expect("a folder");
    let mut child = Command::new("redis-server")
        .args(["--port", "0", "--unixsocket", "redis.sock", "--save", ""])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server is installed (scripts/setup-tests.sh)");
    wait_for(child.stdout.take().expect("its output is piped"), "eady to accept connections");
    Database { child, folder }
}

/// The folder of PostgreSQL's programs: on the path, or where Debian puts them.
fn postgres_program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| PathBuf::from(name))
}

fn postgres() -> Database {
    let folder = TempDir::new().expect("a folder");
    let is_root = folder.path().metadata().expect("it is there").uid() == 0;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a folder for the data");
    let as_user = |program: &str| {
        let mut command = Command::new(postgres_program(program));
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.current_dir(folder.path()).env("HOME", folder.path()).env("LC_ALL", "C");
        command
    };
    if is_root {
        for path in [folder.path(), &data] {
            chown(path, Some(NOBODY), Some(NOBODY)).expect("root may do that");
        }
    }
    let made = as_user("initdb").args(["-D"]).arg(&data).args(["-U", "tester", "-A", "trust", "-N"]).output();
    let made = made.expect("PostgreSQL is installed (scripts/setup-tests.sh)");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut child = as_user("postgres")
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(folder.path())
        .args(["-c", "listen_addresses=", "-c", "fsync=off"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    wait_for(child.stderr.take().expect("its errors are piped"), "ready to accept connections");
    Database { child, folder }
}

#[test]
fn packages_for_servers_work_in_an_app() {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages");
    assert!(packages.join("node_modules/pg").exists(), "run scripts/setup-tests.sh: the packages are not installed");
    let (redis, postgres) = (redis(), postgres());
    let out = TempDir::new().expect("a folder");
    let dist = out.path().join("dist");
    let path = |path: &Path| path.to_str().expect("a temporary folder has a name in UTF-8").to_owned();
    let variables = [
        ("TEST_PG_FOLDER", postgres.folder().to_owned()),
        ("TEST_REDIS_SOCKET", format!("{}/redis.sock", redis.folder())),
        ("SS__SERVER__STATE_DIR", path(&out.path().join("state"))),
    ];
    let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let served = Served::start_from(&packages.join("app"), &["--out", &path(&dist)], &variables)
        .unwrap_or_else(|said| panic!("it does not serve: {said}"));
    let manifest = fs::read_to_string(dist.join("manifest.json")).expect("there is a manifest");
    let manifest: Manifest = serde_json::from_str(&manifest).expect("it is one");
    assert_eq!(manifest.server.engine, EngineKind::Node);

    let post = |action: &str, args: &str| {
        let answer = served.ask("POST", &format!("/api/packages/{action}"), args);
        answer.split_once("\r\n\r\n").expect("an answer").1.to_owned()
    };
    assert_eq!(post("lodash", "[]"), "[[0,1],[2,3],[4]]");
    assert_eq!(post("uuid", "[]"), "true");
    assert_eq!(post("zod", r#"[{"name": "ann", "age": 36}]"#), r#"{"name":"ann","age":36}"#);
    assert_eq!(post("zod", r#"[{"name": "", "age": 0.5}]"#), r#"["name","age"]"#);
    assert_eq!(post("jsonwebtoken", "[]"), r#"["ann","JsonWebTokenError"]"#);
    assert_eq!(post("pg", r#"["first"]"#), r#"["first",true,1]"#);
    assert_eq!(post("pg", r#"["it's; drop table notes"]"#), r#"["it's; drop table notes",true,2]"#);
    let failed = post("pgFails", "[]");
    assert!(failed.contains(r#"relation \"nowhere\" does not exist"#), "{failed}");
    assert_eq!(post("ioredis", "[]"), r#"["yes",{"name":"ann","age":"36"},[1,2]]"#);
    assert_eq!(post("mongodb", "[]"), r#"["MongoServerSelectionError",1350508407000]"#);
    assert_eq!(post("undici", "[]"), r#"[200,"GET /x"]"#);

    let page = served.ask("GET", "/", "");
    assert!(page.contains("the page") && page.contains("x-dns-prefetch-control: off"), "{page}");
    let hello = served.ask("GET", "/hello/ann?x=1", "");
    assert!(hello.contains("200 OK") && hello.contains("hello ann 1"), "{hello}");
    let echo = served.ask("POST", "/echo", r#"{"a": [1]}"#);
    assert!(echo.contains(r#"{"body":{"a":[1]},"ip":"127.0.0.1","secure":false,"#), "{echo}");
    let broken = served.ask("GET", "/broken", "");
    assert!(broken.contains("502 Bad Gateway") && broken.contains("broken in express"), "{broken}");
    let plain = served.ask("GET", "/plain/x", "");
    assert!(plain.contains("plain /x"), "{plain}");
}
