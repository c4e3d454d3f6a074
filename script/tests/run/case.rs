use std::fs;
use std::path::Path;

use ssbuild_script::Language;

/// Modules that are run together; the first is the entry.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) modules: Vec<Module>,
    /// What it logs, when Node cannot say.
    pub(crate) expect: Option<String>,
}

pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every case, in order of file and place. A file holds cases, each started by `#### name`; a case holds modules, each
/// started by `//// name`, and `//// expect`, whose lines are the log.
pub(crate) fn read_all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/run/cases");
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("the folder of cases").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().flat_map(|file| parse(&fs::read_to_string(file).expect("a case"))).collect()
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for part in text.split("#### ").skip(1) {
        let (name, body) = part.split_once('\n').expect("a case has a name and modules");
        let mut case = Case { name: name.trim().to_owned(), modules: Vec::new(), expect: None };
        for part in body.split("//// ").skip(1) {
            let (name, text) = part.split_once('\n').unwrap_or((part, ""));
            match name.trim() {
                "expect" => case.expect = Some(text.trim_end().to_owned()),
                name => case.modules.push(Module { name: name.to_owned(), text: text.trim_end().to_owned() + "\n" }),
            }
        }
        assert!(!case.modules.is_empty(), "{} has no modules", case.name);
        assert!(cases.iter().all(|other| other.name != case.name), "{} is there twice", case.name);
        cases.push(case);
    }
    cases
}

pub(crate) fn language(name: &str) -> Language {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("ts") => Language::TypeScript,
        Some("tsx") => Language::Tsx,
        Some("jsx") => Language::Jsx,
        Some("json") => Language::Json,
        _ => Language::JavaScript,
    }
}
