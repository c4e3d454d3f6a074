//! A build that exchanges modules in the bundles that are there makes what a build from nothing makes, whatever was edited, damaged
//! or cut short before.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use ssbuild::{
    cache::Mode,
    disk::{Disk, RealDisk},
    pipeline::{self, Outcome, Purpose},
    session::{CACHE_FOLDER, Session},
    timings::Timings,
};
use ssbuild_server::manifest::Manifest;
use tempfile::TempDir;

use crate::{
    app::{App, broken, request},
    faulty_disk::{Fault, FaultyDisk},
};

/// With a chunk, a page, a stylesheet that a script imports, code of both sides, and names for the map.
fn app() -> App {
    App::new(&[
        ("package.json", r#"{"name": "exchanged", "private": true}"#),
        (
            "app/client/app.js",
            "import { sum } from '/shared/sum';\nimport './look.css';\nimport { helper } from '../../vendor/helper';\nexport function init(unused, value) {\n  import('./late').then((late) => late.show(value));\n  return sum(helper(value), 1);\n}\n",
        ),
        ("app/client/look.css", ".look { background: url('/dot.svg'); }\n"),
        (
            "app/client/late.js",
            "import { deep } from '../../vendor/deep';\nexport const show = (shown) => deep(shown) + 1;\n",
        ),
        ("app/client/second.js", "import { deep } from '../../vendor/deep';\nconsole.log(deep(2));\n"),
        ("app/views/second.html", "<html><head><SocketStream></head><body></body></html>\n"),
        (
            "vendor/helper.ts",
            "export function helper(first: number): number {\n  const second = first * 2;\n  return second;\n}\n",
        ),
        ("vendor/deep.js", "export function deep(below) {\n  return below - 1;\n}\n"),
        ("app/shared/sum.js", "exports.sum = function (first, second) { return first + second; };\n"),
        ("app/server/app.js", "exports.actions = {\n  square(number, cb) { cb(number * number); },\n};\n"),
        ("app/css/app.scss", "a { color: red; }\n"),
        ("public/dot.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n"),
    ])
}

/// How a build came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Modules were exchanged.
    Exchanged,
    /// It was there.
    Equal,
    /// Scripts were linked.
    Linked,
    /// It has errors.
    Refused,
}

fn build_on(disk: &Arc<dyn Disk>, root: &Path, env: &str) -> (Result<Outcome, pipeline::Error>, Session) {
    let session = Session::of_app(root, Mode::ReadWrite).timed(Timings::since(Instant::now()));
    let outcome = pipeline::build(disk, &request(root, env, Purpose::Publish(root.join("dist"))), &session);
    (outcome, session)
}

fn build(root: &Path, env: &str) -> Way {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let (outcome, session) = build_on(&disk, root, env);
    let outcome = outcome.expect("the machine does its part");
    let phases = session.timings().table().expect("it is timed");
    if outcome.manifest.is_none() {
        return Way::Refused;
    }
    if phases.contains("exchange modules") {
        return Way::Exchanged;
    }
    if phases.contains("compile and link scripts") { Way::Linked } else { Way::Equal }
}

/// All files of the selected build, by path; and its manifest.
fn selected(dist: &Path) -> (Vec<(PathBuf, Vec<u8>)>, Manifest) {
    assert_eq!(broken(dist), None);
    let json = fs::read(dist.join("manifest.json")).expect("a manifest");
    let manifest: Manifest = serde_json::from_slice(&json).expect("a manifest");
    let mut files = vec![(PathBuf::from("manifest.json"), json)];
    let mut folders = vec![dist.join("builds").join(&manifest.build_id)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the build's folder") {
            let path = entry.expect("a name").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dist).expect("it is below").to_owned();
                files.push((name, fs::read(path).expect("a file")));
            }
        }
    }
    for asset in manifest.assets.values() {
        let names = asset.encodings.values().map(|encoded| &encoded.file).chain([&asset.file]);
        files.extend(names.map(|name| (name.into(), fs::read(dist.join(name)).expect("an asset"))));
    }
    files.sort();
    (files, manifest)
}

/// Holds what is selected against a build from nothing.
fn is_clean(root: &Path, env: &str, what: &str) {
    let out = TempDir::new().expect("a folder");
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let request = request(root, env, Purpose::Publish(out.path().to_owned()));
    pipeline::build(&disk, &request, &Session::once()).expect("the machine does its part");
    let (clean, _) = selected(out.path());
    let (made, _) = selected(&root.join("dist"));
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&made), names(&clean), "{what}");
    for ((name, made), (_, clean)) in made.iter().zip(&clean) {
        assert!(made == clean, "{} is another after: {what}", name.display());
    }
    let left: Vec<_> =
        fs::read_dir(root.join("dist")).expect("the output").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".staging")), "{left:?} after: {what}");
}

#[test]
fn what_is_exchanged_is_what_is_linked() {
    use Way::{Equal, Exchanged, Linked, Refused};
    let helper = |inside: &str| format!("export function helper(first: number): number {{\n  {inside}\n}}\n");
    let edits: &[(&str, &str, Way)] = &[
        ("vendor/helper.ts", &helper("const third = first * 3; return third;"), Exchanged),
        ("vendor/helper.ts", &helper("const third = first * 3; return third;"), Equal),
        ("vendor/helper.ts", &helper("return first;"), Exchanged),
        (
            "vendor/helper.ts",
            &helper(
                "\n\n/* \"ü\" 😀 */ const naïve = first, other = [naïve, first];\n return other.map((one) => one)[0];",
            ),
            Exchanged,
        ),
        // More exports than before are nobody's business; fewer may be.
        ("vendor/helper.ts", &(helper("return 4;") + "export const more = 5;\n"), Exchanged),
        ("vendor/helper.ts", &helper("return 5;"), Linked),
        // Other modules.
        ("vendor/helper.ts", &("import { deep } from './deep';\n".to_owned() + &helper("return deep(6);")), Linked),
        ("vendor/helper.ts", &("import { deep } from './deep';\n".to_owned() + &helper("return deep(7);")), Exchanged),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 2;\n}\n", Exchanged),
        (
            "app/client/late.js",
            "import { deep } from '../../vendor/deep';\nexport const show = (seen) => deep(seen) + 2;\n",
            Exchanged,
        ),
        (
            "app/client/second.js",
            "import { deep } from '../../vendor/deep';\nconsole.log(deep(3), 'page');\n",
            Exchanged,
        ),
        (
            "app/client/app.js",
            "import { sum } from '/shared/sum';\nimport './look.css';\nimport { helper } from '../../vendor/helper';\nexport function init(unused, value) {\n  import('./late').then((late) => late.show(value));\n  return sum(helper(value), 2);\n}\n",
            Exchanged,
        ),
        // Both halves have it.
        ("app/shared/sum.js", "exports.sum = function (one, two) { return two + one; };\n", Exchanged),
        ("app/shared/sum.js", "exports.sum = function (one, two) { return two + one; };\nexports.more = 1;\n", Linked),
        ("app/server/app.js", "exports.actions = {\n  square(number, cb) { cb(number ** 2); },\n};\n", Exchanged),
        ("app/server/app.js", "exports.actions = {\n  square(other, cb) { cb(other ** 2); },\n};\n", Linked),
        // A module of nothing has no source in the map.
        ("vendor/deep.js", "", Linked),
        ("vendor/deep.js", "export function deep(under) { broken", Refused),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 4;\n}\n", Linked),
        ("vendor/deep.js", "export function deep(under) { broken", Refused),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 3;\n}\n", Exchanged),
        // What is told of a place in it is told anew.
        ("vendor/deep.js", "export function deep(under) {\n  return eval('under - 4');\n}\n", Linked),
        ("vendor/deep.js", "\nexport function deep(under) {\n  return eval('under - 4');\n}\n", Linked),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 5;\n}\n", Linked),
        // It waits, or imports a file for what it is.
        ("vendor/deep.js", "await 0;\nexport function deep(under) {\n  return under - 5;\n}\n", Linked),
        ("vendor/deep.js", "await 1;\nexport function deep(under) {\n  return under - 5;\n}\n", Exchanged),
        (
            "vendor/deep.js",
            "import url from './helper.ts?url';\nexport function deep(under) {\n  return under - url;\n}\n",
            Linked,
        ),
        ("vendor/helper.ts", &helper("return 8;"), Linked),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 5;\n}\n", Linked),
        // What is no script.
        ("app/client/look.css", ".look { background: url('/dot.svg'); color: blue; }\n", Linked),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 6;\n}\n", Exchanged),
        ("app/css/app.scss", "a { color: green; }\n", Linked),
        ("public/dot.svg", "<svg/>\n", Linked),
        ("config/app.json", "{\"build\": {\"minify\": \"off\"}}\n", Linked),
        ("vendor/deep.js", "export function deep(under) {\n  // Seven.\n  return under - 7;\n}\n", Exchanged),
        ("config/app.json", "{\"build\": {\"maps\": \"off\"}}\n", Linked),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 8;\n}\n", Exchanged),
        ("config/app.json", "{\"build\": {\"maps\": \"linked\"}}\n", Linked),
        ("vendor/deep.js", "export function deep(under) {\n  return under - 9;\n}\n", Linked),
    ];
    let app = app();
    let root = app.root();
    assert_eq!(build(&root, "production"), Linked);
    for (n, (path, text, way)) in edits.iter().enumerate() {
        app.write(path, text);
        let what = format!("edit {n}, {path}: {text}");
        assert_eq!(build(&root, "production"), *way, "{what}");
        if *way != Refused {
            is_clean(&root, "production", &what);
            assert_eq!(build(&root, "production"), Equal, "once more after {what}");
        }
    }
}

/// Numbers that are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

const MODULES: u64 = 12;

/// A module that imports some of those behind it.
fn module(chance: &mut Chance, n: u64) -> String {
    let mut text = String::new();
    let mut calls = String::new();
    for other in n + 1..MODULES {
        if (other + n).is_multiple_of(3) {
            text += &format!("import {{ first as f{other} }} from './m{other}.js';\n");
            calls += &format!(" + f{other}(param)");
        }
    }
    if chance.below(8) == 0 && n + 1 < MODULES {
        text += &format!("import * as all from './m{}.js';\nconsole.log(all);\n", n + 1);
    }
    text += &"// ü\n".repeat(chance.below(3) as usize);
    let names = ["alpha", "beta", "gamma", "delta"];
    let locals: String = (0..chance.below(4))
        .map(|at| format!("  let {} = param * {at};\n  console.log({0});\n", names[at as usize]))
        .collect();
    text += &format!("export function first(param) {{\n{locals}  return {}{calls};\n}}\n", chance.below(1000));
    if chance.below(3) == 0 {
        text += &format!("export const more{} = '\"\\u00e9😀';\n", chance.below(3));
    }
    text
}

#[test]
fn after_any_edits_of_modules_the_build_is_a_clean_one() {
    let steps = if std::env::var_os("SSBUILD_SOAK").is_some() { 2_000 } else { 40 };
    let mut chance = Chance(17);
    let app = App::new(&[(
        "app/client/app.js",
        "import { first } from '../../vendor/m0';\nexports.init = () => first(1);\n",
    )]);
    for n in 0..MODULES {
        app.write(&format!("vendor/m{n}.js"), &module(&mut chance, n));
    }
    app.write(
        "app/client/app.js",
        "import { first } from '../../vendor/m0.js';\nexport const init = () => first(1);\n",
    );
    let root = app.root();
    build(&root, "production");
    let mut exchanged = 0;
    for step in 0..steps {
        let edits = if chance.below(6) == 0 { 2 } else { 1 };
        let mut what = format!("step {step}");
        for _ in 0..edits {
            let n = chance.below(MODULES);
            let text = module(&mut chance, n);
            what += &format!(", m{n}: {text}");
            app.write(&format!("vendor/m{n}.js"), &text);
        }
        exchanged += u32::from(build(&root, "production") == Way::Exchanged);
        is_clean(&root, "production", &what);
    }
    assert!(exchanged > steps / 4, "{exchanged} of {steps} builds exchanged modules");
}

#[test]
fn what_was_damaged_is_not_built_upon() {
    let app = app();
    let root = app.root();
    let dist = root.join("dist");
    let mut n = 0;
    let mut edit = || {
        n += 1;
        app.write("vendor/deep.js", &format!("export function deep(under) {{\n  return under - {n};\n}}\n"));
    };
    edit();
    build(&root, "production");
    let manifest = selected(&dist).1;
    let lib = manifest.assets["lib.js"].file.clone();
    let files = |manifest: &Manifest| {
        let map = |name: &str| format!("builds/{}/maps/{name}.map", manifest.build_id);
        [manifest.assets["app.js"].file.clone(), map("app.js"), lib.clone(), map("server.js")]
    };
    for at in 0..4 {
        for damage in [
            |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
            |bytes: &mut Vec<u8>| {
                let at = bytes.len() / 3;
                bytes[at] ^= 1;
            },
        ] {
            let path = dist.join(&files(&selected(&dist).1)[at]);
            let mut bytes = fs::read(&path).expect("a file of the build");
            damage(&mut bytes);
            fs::write(&path, bytes).expect("damage");
            edit();
            build(&root, "production");
            is_clean(&root, "production", &format!("damage to {}", path.display()));
        }
    }
    // Of the cache, too.
    let cache = root.join(CACHE_FOLDER);
    let names = || -> Vec<PathBuf> {
        let names = fs::read_dir(&cache).expect("a cache").map(|entry| entry.expect("a name").path());
        names.filter(|path| path.extension().is_some_and(|ending| ending == "record")).collect()
    };
    assert!(names().len() >= 2, "{:?}", names());
    for at in 0..names().len() {
        for eighth in 0..8 {
            let path = &names()[at];
            let mut bytes = fs::read(path).expect("a record");
            let place = bytes.len() * eighth / 8;
            bytes[place] ^= 4;
            fs::write(path, bytes).expect("damage");
            edit();
            build(&root, "production");
            is_clean(&root, "production", &format!("damage to {}", path.display()));
        }
    }
}

#[test]
fn a_build_that_dies_while_it_exchanges_leaves_the_one_before() {
    let app = app();
    let root = app.root();
    let dist = root.join("dist");
    let text = |n: usize| format!("export function deep(under) {{\n  return under - {n};\n}}\n");
    app.write("vendor/deep.js", &text(0));
    build(&root, "production");
    let mut at = 0;
    for fault in [Fault::Stop, Fault::Shorten, Fault::FailOnce] {
        for n in (0..).step_by(if fault == Fault::Stop { 3 } else { 7 }) {
            at += 1;
            let before = selected(&dist).1.build_id;
            app.write("vendor/deep.js", &text(at));
            let disk: Arc<dyn Disk> = Arc::new(FaultyDisk::new(fault, n));
            let (outcome, _) = build_on(&disk, &root, "production");
            assert_eq!(broken(&dist), None, "{fault:?} at {n}");
            if outcome.is_err() && fault != Fault::FailOnce && n < 3 {
                assert_eq!(selected(&dist).1.build_id, before, "{fault:?} at {n}");
            }
            let done = outcome.is_ok();
            build(&root, "production");
            is_clean(&root, "production", &format!("{fault:?} at {n}"));
            if done && (fault != Fault::FailOnce || n > 40) {
                assert!(n > 10, "{n} changes of the disk are few");
                break;
            }
        }
    }
}
