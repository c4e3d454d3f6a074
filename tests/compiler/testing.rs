//! `ssbuild test`: an app's own tests, those that hold and those that do not.

use std::{
    fs,
    process::{Command, Output},
};

use crate::app::{App, PROGRAM, testdata};

fn run(app: &App, args: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("test").args(args).current_dir(app.root()).env_remove("SS_ENV").env("NO_COLOR", "1");
    command.env_remove("CLICOLOR_FORCE").output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

const SERVER: &str = "let calls = 0;
exports.actions = {
  add: (a, b, cb) => cb(a + b),
  calls() { return ++calls; },
  say(text) { SS.publish.broadcast('said', text); return true; },
  async join(room) { await this.session.channel.subscribe(room); return room; },
  tell(room, text) { SS.publish.channel(room, 'told', text); return true; },
  me() { return this.session.user_id; },
  async note(text) { this.session.attributes.note = text; return true; },
  noted() { return this.session.attributes.note; },
  late() { return new Promise((resolve) => setTimeout(() => resolve('late'), 50)); },
  fail() { throw new Error('on purpose'); },
};";

fn app(tests: &[(&str, &str)]) -> App {
    let mut files = vec![
        (
            "app/client/app.js",
            "exports.label = (n) => `${n} in all`;\nexports.init = () => { throw new Error('not here'); };",
        ),
        ("app/client/list.js", "import { label } from './app';\nexports.title = (n) => `List: ${label(n)}`;"),
        ("app/server/app.js", SERVER),
    ];
    files.extend_from_slice(tests);
    App::new(&files)
}

/// The lines that tell of tests.
fn results(output: &Output) -> Vec<&str> {
    text(&output.stdout).lines().map(str::trim).filter(|line| line.starts_with(['✓', '✗', '–', '○'])).collect()
}

#[test]
fn actions_channels_sessions_and_client_modules_are_tested_over_the_real_protocol() {
    let test = "
import { title } from '../app/client/list';

describe('actions', () => {
  test('by promise and by callback', async () => {
    expect(await SS.server.app.add(1, 2)).toBe(3);
    expect(await new Promise((resolve) => SS.server.app.add(3, 4, resolve))).toBe(7);
  });
  test('that throw', async () => {
    await expect(SS.server.app.fail()).rejects.toMatchObject({ code: 'action_error', message: 'on purpose' });
    await expect(SS.server.app.nothing?.() ?? Promise.reject(new Error('no such action'))).rejects.toThrow('no such action');
  });
  test('that are not there', () => expect(SS.server.app.missing).toBeUndefined());
});

test('client modules, imported and in their tree', () => {
  expect(title(3)).toBe('List: 3 in all');
  expect(SS.client.list.title(1)).toBe('List: 1 in all');
  expect(SS.started).toBe(true);
});

describe('several browsers', () => {
  test('hear what is said to all', async () => {
    const [one, two] = await Promise.all([connect(), connect()]);
    await one.SS.server.app.say('hello');
    expect([await one.next('said'), await two.next('said')]).toEqual(['hello', 'hello']);
  });
  test('are in channels', async () => {
    const [inside, outside] = [await connect(), await connect()];
    await inside.SS.server.app.join('den');
    await outside.SS.server.app.tell('den', 'psst');
    await outside.SS.server.app.say('end');
    expect(await inside.next('told')).toBe('psst');
    await outside.next('said');
    expect(outside.events).toEqual([]);
  });
  test('have users and sessions', async () => {
    const ann = await connect({ user: 'ann' });
    expect(await ann.SS.server.app.me()).toBe('ann');
    await ann.SS.server.app.note('x');
    const tab = await ann.tab();
    expect(await tab.SS.server.app.noted()).toBe('x');
    expect(await (await connect()).SS.server.app.noted()).toBeUndefined();
  });
  test('come back after a broken connection with what they missed', async () => {
    const [one, two] = [await connect(), await connect()];
    one.drop();
    await until(() => one.SS.socket.state !== 'open');
    await two.SS.server.app.say('missed');
    await clock.advance(60_000);
    expect(await one.next('said')).toBe('missed');
  });
});

test('time', async () => {
  const fired = mock();
  setTimeout(fired, 3_600_000);
  await clock.advance(3_599_000);
  expect(fired).not.toHaveBeenCalled();
  await clock.advance(2_000);
  expect(fired).toHaveBeenCalledTimes(1);
});";
    let app = app(&[("test/all.test.js", test)]);
    for engine in ["embedded", "node"] {
        let output = run(&app, &["--engine", engine]);
        assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("\n9 passed in 1 file ("), "{}", text(&output.stdout));
    }
    assert!(!app.root().join("dist").exists(), "tests write no build into the app");
}

#[test]
fn what_does_not_hold_is_shown_with_its_line() {
    let test = "const deep = (n) => {
  expect({ list: [1, n] }).toEqual({ list: [1, 2] });
};

describe('a group', () => {
  test('that is wrong', () => deep(3));
  test('that throws', async () => {
    await null;
    throw new TypeError('thrown');
  });
  test('that never ends', () => new Promise(() => {}), 20);
  test.skip('that is skipped', () => {});
  test.todo('that is to come');
});
test('with an error of its own', () => {
  setTimeout(() => { throw new Error('in a timer'); }, 1);
  return new Promise((resolve) => setTimeout(resolve, 50));
});
test('after it', () => console.log('still', { here: true }));
";
    let app = app(&[("test/wrong.test.js", test)]);
    let output = run(&app, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        results(&output)
            .iter()
            .map(|line| line.split(" ms").next().unwrap_or(line).trim_end_matches(|c: char| c.is_ascii_digit()).trim())
            .collect::<Vec<_>>(),
        [
            "✗ test/wrong.test.js",
            "✗ a group › that is wrong",
            "✗ a group › that throws",
            "✗ a group › that never ends",
            "– a group › that is skipped",
            "○ a group › that is to come (to do)",
            "✗ with an error of its own",
            "✓ after it",
        ]
    );
    let shown = text(&output.stdout);
    for part in [
        "      │ still { here: true }\n",
        "expected { list: [ 1, 3 ] } to equal { list: [ 1, 2 ] }\n        expected: { list: [ 1, 2 ] }\n          actual: { list: [ 1, 3 ] }\n      test/wrong.test.js:2:",
        "      TypeError: thrown\n      test/wrong.test.js:9:",
        "      the test was not done after 20 ms\n",
        "      in a timer\n      test/wrong.test.js:16:",
        "\n1 passed, 4 failed, 1 skipped, 1 to do in 1 file (",
    ] {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
}

#[test]
fn each_file_has_a_server_of_its_own_and_files_and_names_can_be_chosen() {
    let first = "test('the first call', async () => expect(await SS.server.app.calls()).toBe(1));";
    let app = app(&[
        ("test/one.test.js", first),
        (
            "test/deep/two.test.ts",
            "test('the first call', async () => { const n: number = await SS.server.app.calls(); expect(n).toBe(1); });\ntest('another', () => {});",
        ),
        ("test/_ignored.test.js", "test('never', () => expect.fail());"),
        ("test/helper.js", "export const unused = true;"),
    ]);
    let both = run(&app, &[]);
    assert_eq!(results(&both).len(), 5, "{}", text(&both.stdout));
    assert!(text(&both.stdout).contains("3 passed in 2 files"), "{}", text(&both.stdout));
    let one = run(&app, &[".", "deep"]);
    assert!(text(&one.stdout).contains("2 passed in 1 file"), "{}", text(&one.stdout));
    let named = run(&app, &["-t", "FIRST"]);
    assert!(text(&named.stdout).contains("2 passed, 1 skipped in 2 files"), "{}", text(&named.stdout));
    let none = run(&app, &[".", "nothing"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("no file of tests has `nothing` in its path"), "{}", text(&none.stderr));
}

#[test]
fn results_are_json_lines_and_junit_for_machines() {
    let app = app(&[("test/x.test.js", "test('a', () => {});\ntest('b <&>', () => expect(1).toBe(2));")]);
    let output = run(&app, &["--json", "--junit", "results.xml"]);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["outcome"], &lines[1]["outcome"]), (&"passed".into(), &"failed".into()));
    assert_eq!(lines[1]["failure"]["at"]["line"], 2);
    assert_eq!((&lines[1]["failure"]["expected"], &lines[1]["failure"]["actual"]), (&"2".into(), &"1".into()));
    let xml = fs::read_to_string(app.root().join("results.xml")).expect("a file");
    assert!(xml.contains("<testsuite name=\"test/x.test.js\" tests=\"2\""), "{xml}");
    assert!(xml.contains("test/x.test.js:2:") && !xml.contains('\u{1b}'), "{xml}");
    assert!(xml.contains("name=\"b &lt;&amp;>\"") || xml.contains("name=\"b &lt;&amp;&gt;\""), "{xml}");
}

#[test]
fn a_file_that_cannot_be_run_is_told_and_does_not_stop_the_others() {
    let app = app(&[
        ("test/broken.test.js", "test('x', () => {});\nnull.y;"),
        ("test/endless.test.js", "test('later', async () => { await SS.server.app.late(); });"),
    ]);
    let output = run(&app, &[]);
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output.stdout);
    assert!(shown.contains("the file could not be run") && shown.contains("test/broken.test.js:2:"), "{shown}");
    assert!(shown.contains("1 passed, 1 files broken in 2 files"), "{shown}");
    let syntax = self::app(&[("test/syntax.test.js", "test('x', (")]);
    let output = run(&syntax, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--> test/syntax.test.js:1:"), "{}", text(&output.stderr));
    assert_eq!(run(&self::app(&[]), &[]).status.code(), Some(2));
}

#[test]
fn the_demo_app_passes_its_own_tests() {
    let mut command = Command::new(PROGRAM);
    command.args(["test", "--no-cache"]).arg(testdata("apps/chat")).env_remove("SS_ENV");
    let output = command.output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
}
