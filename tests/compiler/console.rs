//! `ssbuild console` without a server: one of its own, that leaves nothing behind.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use crate::app::{App, PROGRAM};

#[test]
fn a_console_of_its_own_says_what_it_was_asked_and_leaves_nothing() {
    let app = App::new(&[("app/server/app.js", "exports.actions = { square: (n) => n * n };\n")]);
    let temporary = tempfile::tempdir().expect("a folder for the test");
    for (lines, said, code) in
        [("await SS.server.app.square(5)\nSS.env\n", "25\n\"development\"\n", 0), ("nothing.there\n", "", 1)]
    {
        let mut child = Command::new(PROGRAM)
            .arg("console")
            .arg(app.root())
            .env("TMPDIR", temporary.path())
            .env_remove("SS_ENV")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        child.stdin.take().expect("its input is piped").write_all(lines.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            (String::from_utf8_lossy(&output.stdout).as_ref(), output.status.code()),
            (said, Some(code)),
            "{errors}"
        );
        assert_eq!(errors.is_empty(), code == 0, "{errors}");
        assert!(!errors.contains("is not served"), "{errors}");
        let left: Vec<_> = std::fs::read_dir(temporary.path()).expect("a folder").flatten().map(|e| e.path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
