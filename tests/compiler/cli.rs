//! The program as it is typed: exit codes, streams, and a build that is served at once.

use std::process::{Command, Output};

use crate::{
    app::{App, PROGRAM, broken},
    served::Served,
};

fn ssbuild(app: &App, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).current_dir(app.root()).env_remove("SS_ENV").env_remove("CLICOLOR_FORCE");
    command.output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn data_goes_to_stdout_and_findings_to_stderr() {
    let app = App::new(&[("app/client/app.js", "SS.server.nothing.here();")]);
    let built = ssbuild(&app, &[]);
    assert_eq!(built.status.code(), Some(0));
    assert!(text(&built.stdout).contains("  app.js "), "{}", text(&built.stdout));
    assert!(text(&built.stdout).contains(" for production in "));
    assert!(text(&built.stderr).starts_with("warning[unknown-path]: `SS.server.nothing` is not in the API tree\n"));
    assert_eq!(broken(&app.root().join("dist")), None);

    let quiet = ssbuild(&app, &["build", ".", "--quiet", "--env", "staging", "--out", "elsewhere"]);
    assert_eq!(text(&quiet.stdout), "");
    assert_eq!(broken(&app.root().join("elsewhere")), None);

    let json = ssbuild(&app, &["--json"]);
    let lines: Vec<serde_json::Value> =
        text(&json.stdout).lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert_eq!(lines[0]["code"], "unknown-path");
    assert_eq!(lines[1]["env"], "production");
    assert!(lines[1]["bundles"]["lib.js"]["sent_bytes"].as_u64() > Some(1000));
    assert_eq!(text(&json.stderr), "");
}

#[test]
fn the_exit_code_says_who_has_to_act() {
    let app = App::new(&[("app/client/app.js", "SS.server.nothing.here();")]);
    let code = |args: &[&str]| ssbuild(&app, args).status.code();
    assert_eq!(code(&["check"]), Some(0));
    assert!(!app.root().join("dist").exists(), "`check` writes nothing");
    assert_eq!(code(&["check", "--deny", "warnings"]), Some(1));
    assert_eq!(code(&["--deny", "warnings"]), Some(1));
    assert!(!app.root().join("dist/manifest.json").exists(), "a build with errors is not selected");
    assert_eq!(code(&["--env", "../x"]), Some(2));
    assert_eq!(code(&["--no-such-flag"]), Some(2));
    assert_eq!(code(&["no-such-folder"]), Some(2));
    assert_eq!(code(&["--out", "/proc/nowhere"]), Some(2));
    assert_eq!(code(&["--out", "."]), Some(2), "the app's own `public` would be written to");
    assert_eq!(code(&["--out", "public/dist"]), Some(2));
    assert_eq!(code(&["--version"]), Some(0));
    assert_eq!(text(&ssbuild(&app, &["no-such-folder"]).stdout), "");
}

#[test]
fn levels_choose_what_is_printed() {
    let app = App::new(&[("app/client/app.js", "SS.server.nothing.here();")]);
    let printed = |args: &[&str]| {
        let done = ssbuild(&app, args);
        (text(&done.stdout).is_empty(), text(&done.stderr).is_empty())
    };
    assert_eq!(printed(&["--log-level", "0"]), (true, true));
    assert_eq!(printed(&["--log-level", "warn"]), (true, false));
    assert_eq!(printed(&["--log-level", "2"]), (false, false));
    assert_eq!(ssbuild(&app, &["--log-level", "5"]).status.code(), Some(2));
    assert_eq!(ssbuild(&app, &["--log-level", "1", "-q"]).status.code(), Some(2));
}

#[test]
fn colour_follows_the_variables_when_there_is_no_terminal() {
    let app = App::new(&[("app/client/app.js", "SS.server.nothing.here();")]);
    let coloured = |variables: &[(&str, &str)]| {
        let mut command = Command::new(PROGRAM);
        for name in ["SS_ENV", "CLICOLOR_FORCE", "NO_COLOR", "CLICOLOR"] {
            command.env_remove(name);
        }
        let done = command.arg("check").current_dir(app.root()).envs(variables.iter().copied()).output();
        text(&done.expect("the program runs").stderr).contains('\u{1b}')
    };
    assert!(!coloured(&[]));
    assert!(coloured(&[("CLICOLOR_FORCE", "1")]));
    assert!(!coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn every_command_has_examples_a_completion_and_a_man_page() {
    let app = App::new(&[]);
    let help = ssbuild(&app, &["--help"]);
    let words = text(&help.stdout).lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = words.map_while(|line| line.split_whitespace().next()).collect();
    assert!(commands.contains(&"build") && commands.contains(&"completions"), "{commands:?}");
    assert_eq!(ssbuild(&app, &["man", "man1"]).status.code(), Some(0));
    let completed = ssbuild(&app, &["completions", "bash"]);
    for command in commands.iter().filter(|command| **command != "help") {
        let help = ssbuild(&app, &[command, "--help"]);
        assert!(text(&help.stdout).contains("Examples:\n  ssbuild "), "`{command} --help` shows how it is used");
        assert!(app.root().join(format!("man1/ssbuild-{command}.1")).is_file(), "{command}");
        assert!(text(&completed.stdout).contains(command), "{command}");
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        assert!(ssbuild(&app, &["completions", shell]).stdout.len() > 500, "{shell}");
    }
}

#[test]
fn an_app_is_compiled_and_served() {
    let app = App::new(&[("app/views/app.html", "<head><title>Served</title><SocketStream></head>")]);
    let answer = Served::start(&app.root()).ask("GET", "/", "");
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("<title>Served</title>"), "{answer}");
}
