use std::fmt::Write;

use super::{
    BASE, Configured, Declared,
    tree::{Folder, quoted},
};

const HEAD: &str = "\
// Written by `ssbuild types`, and by `ssbuild watch` after each build. Changes are lost.

";

/// The whole file.
pub(super) fn write(declared: &Declared, templates: &[String], config: &Configured) -> String {
    let mut text = format!("{HEAD}{BASE}declare namespace SS {{\n");
    let trees = [("ClientTree", &declared.client), ("SharedTree", &declared.shared), ("ServerTree", &declared.server)];
    for (name, folder) in trees {
        tree(&mut text, name, folder);
    }
    let templates: String = templates.iter().map(|id| format!("    readonly {}: string;\n", quoted(id))).collect();
    interface(&mut text, "Templates", &templates);
    writeln!(text, "  interface ClientConfig {{{}}}\n", config.client.members(2)).expect(WRITES);
    writeln!(text, "  interface ServerConfig {{\n    readonly app: {};", config.app.text(4)).expect(WRITES);
    text.push_str("    readonly client: ClientConfig;\n    readonly name: string | null;\n");
    for section in SECTIONS {
        writeln!(text, "    readonly {section}: {{ readonly [key: string]: any }};").expect(WRITES);
    }
    text.push_str("  }\n\n");
    let siblings = declared.siblings.iter().map(|(path, names)| {
        let mut names: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        names.sort();
        names.dedup();
        format!("    readonly {}: {};\n", quoted(path), names.join(" | "))
    });
    interface(&mut text, "Siblings", &siblings.collect::<String>());
    text.truncate(text.trim_end().len());
    text.push_str("\n}\n");
    text
}

/// The sections of the configuration that server code may read but that are no business of this file.
const SECTIONS: [&str; 10] = ["api", "build", "csp", "db", "http", "limits", "log", "server", "session", "users"];

const WRITES: &str = "writing to a string works";

fn tree(text: &mut String, name: &str, folder: &Folder) {
    let mut members = String::new();
    folder.write(&mut members, name, 4);
    interface(text, name, &members);
}

fn interface(text: &mut String, name: &str, members: &str) {
    if members.is_empty() {
        writeln!(text, "  interface {name} {{}}\n").expect(WRITES);
    } else {
        writeln!(text, "  interface {name} {{\n{members}  }}\n").expect(WRITES);
    }
}
