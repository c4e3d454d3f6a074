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
    disk::{Disk, DiskError, RealDisk},
    output::{Files, Rehearsal, Retention, prune, publish},
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
    let manifest = fs::read(dist.join("manifest.json")).expect("a manifest");
    serde_json::from_slice::<Manifest>(&manifest).expect("a manifest").build_id
}

/// A build that has been made, ready to be published again.
struct Made {
    manifest: Manifest,
    files: Files,
}

impl Made {
    fn from(app: &App) -> Self {
        Self::of(app.built())
    }

    /// An app of the repository, built for an environment.
    fn fixture(name: &str, env: &str) -> Self {
        let out = TempDir::new().expect("a folder");
        build(&testdata("apps").join(name), env, out.path()).expect("it builds");
        Self::of(Dist::read(out.path()))
    }

    fn of(dist: Dist) -> Self {
        let mut files = Files::default();
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
    let pairs = [
        (Made::from(&app(1)), Made::from(&app(2))),
        (Made::fixture("minimal", "development"), Made::fixture("minimal", "production")),
        (Made::fixture("assets", "development"), Made::fixture("assets", "production")),
    ];
    let mut points = 0;
    for (first, second) in &pairs {
        for fault in [Fault::Stop, Fault::FailOnce, Fault::Shorten] {
            let here = faults(first, second, fault);
            assert!(here > 20, "a build changes the disk more than {here} times");
            points += here;
        }
    }
    assert!(points >= 500, "only {points} moments were tried");
}

/// Publishes one build over another again and again, with a fault one change later each time; how many there were.
fn faults(first: &Made, second: &Made, fault: Fault) -> usize {
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
        // Pruning finds its way as well, and takes nothing that is selected.
        if at % 4 == 0 {
            prune(&FaultyDisk::sound(), out.path(), 1.into(), Rehearsal::No).expect("a sound disk again");
            assert_eq!(broken(out.path()), None);
            assert_eq!(selected(out.path()), now);
        }
        // The next build does, and leaves nothing that nobody knows of.
        second.publish(&FaultyDisk::sound(), out.path()).expect("a sound disk again");
        assert_eq!(broken(out.path()), None);
        assert_eq!(selected(out.path()), second.manifest.build_id);
        assert_eq!(left_over(out.path()), [""; 0], "{fault:?} at {at}");
        if disk.changes() <= at {
            assert!(done.is_ok(), "no fault came, and it is not done");
            return at;
        }
        at += 1;
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
        command.arg(&chat).args(["--quiet", "--no-cache", "--env", env, "--out"]).arg(out.path());
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

#[test]
fn builds_are_pruned_by_count_and_by_age_and_never_the_selected_one() {
    let app = App::new(&[("config/app.json", r#"{"build": {"keep": 9, "keep_days": 5}}"#)]);
    let out = app.root().join("dist");
    let mut ids = Vec::new();
    for state in 0..5 {
        app.write("app/client/app.js", &format!("exports.state = {state};"));
        build(&app.root(), "production", &out).expect("it builds");
        ids.push(selected(&out));
    }
    // The oldest two are ten days old; the second of them is selected again.
    let ten_days_ago = std::time::SystemTime::now() - Duration::from_secs(10 * 24 * 60 * 60);
    for id in &ids[..2] {
        let manifest = fs::File::options().append(true).open(out.join("builds").join(id).join("manifest.json"));
        manifest.expect("a manifest").set_modified(ten_days_ago).expect("its time can be set");
    }
    fs::copy(out.join("builds").join(&ids[1]).join("manifest.json"), out.join("manifest.json")).expect("a copy");
    fs::write(out.join("public/assets/lost-0123456789abcdef.js"), "of no build").expect("a file");
    fs::write(out.join("public/assets/by-hand.txt"), "not made by a build").expect("a file");

    let would =
        prune(&RealDisk, &out, Retention { builds: 2, days: Some(5) }, Rehearsal::Only).expect("it can be told");
    assert_eq!((&would.builds, &would.kept), (&ids[..1].to_vec(), &ids[1..].to_vec()));
    assert!(out.join("builds").join(&ids[0]).exists());
    let done = prune(&RealDisk, &out, Retention { builds: 2, days: Some(5) }, Rehearsal::No).expect("it prunes");
    assert_eq!(done, would);
    assert!(!out.join("builds").join(&ids[0]).exists() && !out.join("public/assets/lost-0123456789abcdef.js").exists());
    assert!(out.join("public/assets/by-hand.txt").exists());
    fs::remove_file(out.join("public/assets/by-hand.txt")).expect("it is there");
    assert_eq!(
        prune(&RealDisk, &out, 1.into(), Rehearsal::No).expect("it prunes").kept,
        [ids[1].clone(), ids[4].clone()]
    );
    assert_eq!(broken(&out), None);
    for id in [&ids[1], &ids[4]] {
        fs::copy(out.join("builds").join(id).join("manifest.json"), out.join("manifest.json")).expect("a copy");
        assert_eq!(broken(&out), None);
    }
    // A build keeps what is young, however many there are.
    for state in 5..8 {
        app.write("config/app.json", r#"{"build": {"keep": 1, "keep_days": 5}}"#);
        app.write("app/client/app.js", &format!("exports.state = {state};"));
        build(&app.root(), "production", &out).expect("it builds");
    }
    assert_eq!(fs::read_dir(out.join("builds")).expect("builds").count(), 4);
}

#[test]
fn building_pruning_and_loading_at_once_do_not_meet() {
    let apps = [app(1), app(2)];
    let out = TempDir::new().expect("a folder");
    let out = out.path();
    build(&apps[0].root(), "production", out).expect("it builds");
    let done = std::sync::atomic::AtomicBool::new(false);
    let is_done = || done.load(std::sync::atomic::Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0..8 {
                build(&apps[turn % 2].root(), "production", out).expect("it builds");
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        scope.spawn(|| {
            while !is_done() {
                prune(&RealDisk, out, 1.into(), Rehearsal::No).expect("it prunes");
            }
        });
        scope.spawn(|| {
            let mut loaded = 0;
            while !is_done() || loaded == 0 {
                let before = selected(out);
                match ssbuild_server::load::Build::load(out, None) {
                    Ok(_) => loaded += 1,
                    // A server that starts just when its build is taken away says so; any other failure is none of its.
                    Err(error) => assert_ne!(selected(out), before, "{error}"),
                }
            }
        });
    });
    assert_eq!(broken(out), None);
    prune(&RealDisk, out, 1.into(), Rehearsal::No).expect("it prunes");
    assert_eq!(left_over(out), [""; 0]);
}
