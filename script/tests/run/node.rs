use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Command};

use crate::case::Case;

/// What the sources of the cases log when Node runs them as they are, or what they expect.
pub(crate) fn run_sources(cases: &[Case]) -> BTreeMap<String, String> {
    let folder = Folder::new("sources");
    let mut script = String::new();
    let mut logs = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        if let Some(expect) = &case.expect {
            logs.insert(case.name.clone(), expect.clone());
            continue;
        }
        let below = folder.0.join(index.to_string());
        fs::create_dir_all(&below).expect("a temporary folder");
        for module in &case.modules {
            fs::write(below.join(&module.name), &module.text).expect("a temporary file");
        }
        let entry = below.join(&case.modules[0].name);
        writeln!(script, "await runFile({:?}, {:?});", case.name, entry.to_str().expect("a path in UTF-8")).unwrap();
    }
    logs.extend(run_script(&script));
    logs
}

/// Runs a script that prints one line of JSON, `[name, log]`, for each case.
pub(crate) fn run_script(script: &str) -> BTreeMap<String, String> {
    let folder = Folder::new("script");
    let file = folder.0.join("main.cjs");
    // Sloppy, as the bundles of 2011's code are.
    fs::write(&file, format!("{}\n(async () => {{\n{script}\n}})();\n", include_str!("loader.js")))
        .expect("a temporary file");
    let output = Command::new("node")
        .arg(&file)
        .output()
        .expect("these tests run compiled code with `node`, which must be installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "node failed: {errors}\n{}", fs::read_to_string(&file).unwrap_or_default());
    let lines = String::from_utf8(output.stdout).expect("JSON in UTF-8");
    lines.lines().map(|line| serde_json::from_str::<(String, String)>(line).expect("a line of JSON")).collect()
}

/// A temporary folder that is removed in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = env::temp_dir().join(format!("ssbuild-script-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
