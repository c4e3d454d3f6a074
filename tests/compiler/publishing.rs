//! Whatever happens while a build is published, a whole build is selected; and nothing is left that nobody knows of.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use ssbuild::{
    disk::{Disk, DiskError},
    output::{Files, publish},
};
use ssbuild_server::manifest::Manifest;
use tempfile::TempDir;

use crate::{
    app::{App, Dist, PROGRAM, broken, build, testdata},
    faulty_disk::{Fault, FaultyDisk},
};

/// Two states of one app: everything differs between them.
fn app(state: u32) -> App {
    App::new(&[
        ("app/client/app.js", &format!("exports.state = {state};")),
        ("app/css/app.css", &format!("a {{ order: {state}; background: url(/{state}.svg); }}")),
        ("app/server/app.js", &format!("exports.actions = {{ state{state}(cb) {{ cb({state}); }} }};")),
        ("app/views/app.html", &format!("<head><title>{state}</title><SocketStream></head>")),
        (
            &format!("public/{state}.svg"),
            &format!("<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"i{state}\"/>\n").repeat(20),
        ),
        // What is a file in one state is a folder in the other.
        (if state == 1 { "public/thing" } else { "public/thing/inside.txt" }, "thing"),
    ])
}

fn selected(dist: &Path) -> String {
    Dist::read(dist).manifest().build_id
}

/// A build that has been made, ready to be published again.
struct Made {
    manifest: Manifest,
    files: Files,
}

impl Made {
    fn from(app: &App) -> Self {
        let mut files = Files::default();
        let dist = app.built();
        let manifest = dist.manifest();
        for (path, bytes) in dist.files {
            if let Some(name) = path.strip_prefix("public/assets/") {
                files.assets.insert(name.to_owned(), bytes.into());
            } else if let Some(name) = path.strip_prefix("public/") {
                files.public.insert(name.to_owned(), bytes.into());
            } else if let Some(name) =
                path.strip_prefix(&format!("builds/{}/", manifest.build_id)).filter(|name| *name != "manifest.json")
            {
                files.build.insert(name.to_owned(), bytes.into());
            }
        }
        Self { manifest, files }
    }

    fn publish(&self, disk: &dyn Disk, out: &Path) -> Result<Manifest, DiskError> {
        publish(disk, out, &self.manifest, &self.files, 3).map(|published| published.manifest)
    }
}

#[test]
fn a_fault_at_any_moment_leaves_a_whole_build_selected() {
    let (first, second) = (Made::from(&app(1)), Made::from(&app(2)));
    for fault in [Fault::Stop, Fault::FailOnce, Fault::Shorten] {
        let mut at = 0;
        loop {
            let out = TempDir::new().expect("a folder");
            first.publish(&FaultyDisk::sound(), out.path()).expect("the first build has a sound disk");
            let disk = FaultyDisk::new(fault, at);
            let done = second.publish(&disk, out.path());
            assert_eq!(broken(out.path()), None, "{fault:?} at {at}");
            let now = selected(out.path());
            assert!(now == first.manifest.build_id || now == second.manifest.build_id, "{fault:?} at {at}");
            assert!(
                done.is_err() || now == second.manifest.build_id,
                "a build that says it is done is selected: {fault:?} at {at}"
            );
            // The next build finds its way, and leaves nothing that nobody knows of.
            second.publish(&FaultyDisk::sound(), out.path()).expect("a sound disk again");
            assert_eq!(broken(out.path()), None);
            assert_eq!(selected(out.path()), second.manifest.build_id);
            assert_eq!(left_over(out.path()), [""; 0], "{fault:?} at {at}");
            if disk.changes() <= at {
                assert!(done.is_ok(), "no fault came, and it is not done");
                break;
            }
            at += 1;
        }
        assert!(at > 20, "a build changes the disk more than {at} times");
    }
}

/// Files that no kept build knows.
fn left_over(dist: &Path) -> Vec<String> {
    let dist = Dist::read(dist);
    let generations: serde_json::Value = serde_json::from_slice(&dist.files["generations.json"]).expect("JSON");
    let mut known: BTreeSet<String> = [".lock", "manifest.json", "generations.json"].map(str::to_owned).into();
    let mut builds = Vec::new();
    for build in generations["builds"].as_array().expect("a list") {
        builds.push(format!("builds/{}/", build["build_id"].as_str().expect("text")));
        for files in ["assets", "public"] {
            known.extend(
                build[files].as_array().expect("a list").iter().map(|file| file.as_str().expect("text").to_owned()),
            );
        }
    }
    let unknown = |file: &&String| !known.contains(*file) && !builds.iter().any(|build| file.starts_with(build));
    dist.files.keys().filter(unknown).cloned().collect()
}

#[test]
fn as_many_builds_are_kept_as_the_configuration_says() {
    let app = App::new(&[("config/app.json", r#"{"build": {"keep": 2}}"#)]);
    let out = app.root().join("dist");
    let mut ids = Vec::new();
    for state in 0..4 {
        app.write("app/client/app.js", &format!("exports.state = {state};"));
        app.write("public/old.txt", "for the first builds only");
        if state > 1 {
            fs::remove_file(app.root().join("public/old.txt")).expect("it is there");
        }
        build(&app.root(), "production", &out).expect("it builds");
        ids.push(selected(&out));
        assert_eq!(left_over(&out), [""; 0]);
    }
    let kept: Vec<String> =
        fs::read_dir(out.join("builds")).unwrap().map(|b| b.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(BTreeSet::from_iter(kept), BTreeSet::from_iter(ids[2..].to_vec()));
    assert!(!out.join("public/old.txt").exists());
    // The previous build can be selected again by its own manifest.
    fs::copy(out.join("builds").join(&ids[2]).join("manifest.json"), out.join("manifest.json")).unwrap();
    assert_eq!(broken(&out), None);
}

#[test]
fn what_was_damaged_is_made_whole_by_building_again() {
    let app = app(1);
    let out = app.root().join("dist");
    build(&app.root(), "production", &out).expect("it builds");
    let whole = Dist::read(&out).files;
    for file in whole.keys().filter(|file| *file != ".lock") {
        fs::write(out.join(file), "damaged").expect("it can be written");
    }
    build(&app.root(), "production", &out).expect("it builds");
    assert_eq!(broken(&out), None);
    let again = Dist::read(&out).files;
    let different: Vec<&String> = whole.keys().filter(|file| again.get(*file) != whole.get(*file)).collect();
    assert_eq!(different, [""; 0]);
}

#[test]
fn a_list_of_builds_that_names_files_elsewhere_removes_nothing() {
    let app = app(1);
    let out = app.root().join("dist");
    build(&app.root(), "production", &out).expect("it builds");
    app.write("precious.txt", "mine");
    let list = r#"{"schema": 1, "builds": [], "leaving": ["public/../../precious.txt"]}"#;
    fs::write(out.join("generations.json"), list).expect("it can be written");
    build(&app.root(), "production", &out).expect("it builds");
    assert!(app.root().join("precious.txt").exists());
}

#[test]
fn builds_at_the_same_time_do_not_mix() {
    let apps = [app(1), app(2)];
    let out = TempDir::new().expect("a folder");
    for _ in 0..5 {
        thread::scope(|scope| {
            for app in &apps {
                let out = out.path();
                scope.spawn(move || build(&app.root(), "production", out).expect("it builds"));
            }
        });
        assert_eq!(broken(out.path()), None);
        assert_eq!(left_over(out.path()), [""; 0]);
    }
}

#[test]
fn another_level_of_compression_leaves_kept_builds_whole() {
    let app = app(1);
    let out = app.root().join("dist");
    let mut manifests = Vec::new();
    for level in ["fast", "max", "off", "fast"] {
        app.write("config/app.json", &format!(r#"{{"build": {{"compress": "{level}"}}}}"#));
        build(&app.root(), "production", &out).expect("it builds");
        assert_eq!(broken(&out), None);
        manifests.push(fs::read(out.join("manifest.json")).expect("a manifest"));
    }
    for manifest in &manifests[1..] {
        fs::write(out.join("manifest.json"), manifest).expect("a file");
        assert_eq!(broken(&out), None);
    }
}

#[test]
fn a_kill_at_any_time_leaves_a_whole_build_selected() {
    let out = TempDir::new().expect("a folder");
    let chat = testdata("apps/chat");
    // Two environments in turns, so that every build has something to write.
    let start = |env: &str| {
        let mut command = Command::new(PROGRAM);
        command.arg(&chat).args(["--quiet", "--env", env, "--out"]).arg(out.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    };
    let started = std::time::Instant::now();
    assert!(start("production").wait().expect("it ends").success());
    let whole_ms = u64::try_from(started.elapsed().as_millis()).expect("a short time").max(20);
    let mut seed = 0x5eed_u64;
    let mut killed = 0;
    for n in 0..50 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let mut child = start(if n % 2 == 0 { "development" } else { "production" });
        // The time is the test's subject, not a way to wait for something.
        thread::sleep(Duration::from_millis((seed >> 33) % whole_ms));
        child.kill().expect("it can be killed");
        killed += u32::from(!child.wait().expect("it ends").success());
        assert_eq!(broken(out.path()), None, "kill {n}");
    }
    assert!(killed > 10, "only {killed} builds were killed before their end");
    for env in ["development", "production"] {
        assert!(start(env).wait().expect("it ends").success());
    }
    assert_eq!(broken(out.path()), None);
    assert_eq!(left_over(out.path()), [""; 0]);
}
