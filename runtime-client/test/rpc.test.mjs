import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, World } from "./world.mjs";

const RATE = 80;

test("falsy parameters arrive", () => {
  const world = new World();
  world.welcome();
  for (const value of [0, false, null, ""]) void world.SS.server.app.square(value);
  assert.deepEqual(world.socket.calls.map((call) => call[3]), [[0], [false], [null], [""]]);
});

test("what is undefined at the end is left out, within it is null", () => {
  const world = new World();
  world.welcome();
  void world.SS.server.app.all(undefined, 1, undefined);
  void world.SS.server.app.square(25, undefined);
  assert.deepEqual(world.socket.calls.map((call) => call[3]), [[null, 1], [25]]);
});

test("arguments are as they were at the call", () => {
  const world = new World();
  const list = [1];
  void world.SS.server.app.square(list);
  list.push(2);
  world.welcome();
  assert.deepEqual(world.socket.calls[0][3], [[1]]);
});

test("a callback gets the value alone, falsy ones too", () => {
  const world = new World();
  world.welcome();
  const seen = [];
  for (const value of [625, 0, false, null, undefined]) {
    world.SS.server.app.square(1, (...args) => seen.push(args));
    world.socket.say(value === undefined ? [1, world.socket.calls.length] : [1, world.socket.calls.length, value]);
  }
  assert.deepEqual(seen, [[625], [0], [false], [null], [undefined]]);
  assert.deepEqual(world.socket.calls[0], [1, 1, "app/square", [1]]);
});

test("a callback that throws is reported and harms nothing", async () => {
  const world = new World();
  world.welcome();
  const thrown = new Error("in the callback");
  world.SS.server.app.list(() => { throw thrown; });
  const other = world.SS.server.app.list();
  world.socket.say([1, 1]);
  world.socket.say([1, 2, "fine"]);
  assert.equal(await other, "fine");
  assert.deepEqual(world.raised, [thrown]);
});

test("an error rejects with code, message, retryable and the action", async () => {
  const world = new World();
  world.welcome();
  const answer = world.SS.server.app.square(1);
  world.socket.say([2, 1, "rate_limited", "Slower", 1]);
  await assert.rejects(answer, { name: "SSError", code: "rate_limited", message: "Slower", retryable: true, action: "app/square" });
});

test("a failed call with a callback is an error event, and the callback is not called", async () => {
  const world = new World();
  world.welcome();
  const errors = world.errors();
  world.SS.server.app.square(1, () => assert.fail("called"));
  world.socket.say([2, 1, "action_error", "boom", 0]);
  await settled();
  assert.deepEqual(errors.map((error) => error.code), ["action_error"]);
});

test("a failure that nobody listens to is an error event, never an unhandled rejection", async () => {
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    const world = new World();
    world.welcome();
    const errors = world.errors();
    world.SS.server.app.square(1);
    world.SS.server.app.square(2, () => {});
    world.socket.say([2, 1, "action_error", "boom", 0]);
    world.socket.say([2, 2, "action_error", "boom", 0]);
    await settled();
    assert.equal(errors.length, 2);
    assert.deepEqual(unhandled, []);
    assert.deepEqual(world.console, [], "level 0 and somebody was told");
  } finally {
    process.off("unhandledRejection", note);
  }
});

test("every way of listening counts as listening", async () => {
  const world = new World();
  world.welcome();
  const errors = world.errors();
  const call = () => world.SS.server.app.list();
  const ways = [
    call().then(() => {}, () => {}),
    call().catch(() => {}),
    call().finally(() => {}).catch(() => {}),
    (async () => { await call(); })().catch(() => {}),
    (async () => call())().catch(() => {}),
    Promise.all([call()]).catch(() => {}),
    Promise.resolve(call()).catch(() => {}),
  ];
  await settled();
  ways.forEach((_, n) => world.socket.say([2, n + 1, "action_error", "boom", 0]));
  await Promise.all(ways);
  assert.deepEqual(errors, []);
});

test("a failure can be listened to after it was reported", async () => {
  const world = new World();
  world.welcome();
  const errors = world.errors();
  const answer = world.SS.server.app.list();
  world.socket.say([2, 1, "action_error", "boom", 0]);
  await settled();
  assert.equal(errors.length, 1);
  await assert.rejects(answer, { code: "action_error" });
});

test("an error that nobody takes is printed at any level", () => {
  const world = new World();
  world.welcome();
  world.SS.server.app.list();
  world.socket.say([2, 1, "action_error", "boom", 0]);
  assert.equal(world.console.length, 1);
  assert.equal(world.console[0][0], "error");
  assert.equal(world.console[0][1].message, "boom");
});

test("promises derived from an answer are plain", () => {
  const world = new World();
  const answer = world.SS.server.app.list();
  assert.ok(answer instanceof Promise);
  assert.equal(answer.then(() => {}).constructor, Promise);
});

test("a call times out after 30 s, after its own time, or never", async () => {
  const world = new World();
  world.welcome();
  const { server } = world.SS;
  const ended = [];
  const watch = (name, answer) => answer.catch((error) => ended.push([name, error.code, error.retryable, world.time]));
  watch("default", server.app.list());
  watch("own", world.SS.with({ timeout_ms: 500 }, server.app.list)());
  watch("never", world.SS.with({ timeout_ms: 0 }, server.app.list)());
  for (const at of [499, 1, 29499, 1]) {
    world.advance(at);
    world.socket.say([9]);
    await settled();
  }
  assert.deepEqual(ended, [["own", "timeout", true, 500], ["default", "timeout", true, 30000]]);
});

test("the default time is the configuration's", async () => {
  const world = new World({ data: { config: { call_timeout_ms: 100 } } });
  const failed = assert.rejects(world.SS.server.app.list(), { code: "timeout" });
  world.advance(100);
  await failed;
});

test("an answer after the timeout, a second answer and an unknown id are nothing", async () => {
  const world = new World();
  world.welcome();
  const errors = world.errors();
  const late = assert.rejects(world.SS.with({ timeout_ms: 5 }, world.SS.server.app.list)(), { code: "timeout" });
  const twice = world.SS.server.app.list();
  await settled(); // `await` listens a moment after the call, long before an answer can come
  world.advance(5);
  world.socket.say([1, 1, "late"]);
  world.socket.say([1, 2, "first"]);
  world.socket.say([2, 2, "action_error", "second", 0]);
  world.socket.say([1, 77]);
  await late;
  assert.equal(await twice, "first");
  assert.deepEqual(errors, []);
});

test("a call that timed out in the queue is not sent", async () => {
  const world = new World();
  const failed = assert.rejects(world.SS.with({ timeout_ms: 5 }, world.SS.server.app.list)(), { code: "timeout" });
  world.advance(5);
  await failed;
  world.welcome();
  assert.deepEqual(world.socket.calls, []);
});

test("calls made offline are sent in order, before those made later", () => {
  const world = new World();
  for (let n = 0; n < 20; n++) void world.SS.server.app.square(n);
  world.SS.socket.on("connect", () => void world.SS.server.app.square("from connect"));
  world.welcome();
  void world.SS.server.app.square("later");
  assert.deepEqual(world.socket.calls.map((call) => call[3][0]), [...Array(20).keys(), "from connect", "later"]);
});

test("the queue is bounded: what is too much is refused, the rest is kept", async () => {
  const world = new World({ data: { config: { queue_calls: 3 } } });
  const answers = [1, 2, 3, 4].map((n) => world.SS.server.app.square(n));
  const refused = assert.rejects(answers[3], { code: "offline", retryable: true });
  world.advance(0);
  await refused;
  world.welcome();
  assert.deepEqual(world.socket.calls.map((call) => call[3]), [[1], [2], [3]]);
});

test("the bound is 500 unless configured", async () => {
  const world = new World();
  const errors = world.errors();
  for (let n = 0; n < 501; n++) void world.SS.server.app.square(n);
  world.advance(0);
  assert.deepEqual(errors.map((error) => error.code), ["offline"]);
});

test("emptying the queue stays below the server's rate, and calls under way are bounded", () => {
  const world = new World();
  for (let n = 0; n < 500; n++) void world.SS.with({ timeout_ms: 0 }, world.SS.server.app.square)(n);
  world.welcome();
  assert.equal(world.socket.calls.length, 150);
  world.advance(500);
  assert.ok(Math.abs(world.socket.calls.length - 150 - RATE / 2) <= 1, String(world.socket.calls.length));
  world.advance(7000);
  assert.equal(world.socket.calls.length, 256, "no more than the server takes unanswered");
  for (let id = 1; id <= 256; id++) world.socket.say([1, id]);
  world.advance(8000);
  assert.deepEqual(world.socket.calls.map((call) => call[3][0]), [...Array(500).keys()]);
  assert.equal(world.SS.socket.state, "open");
});

test("a volatile call is sent at once or not at all", async () => {
  const world = new World();
  const errors = world.errors();
  const send = world.SS.with({ volatile: true }, world.SS.server.app.square);
  send(1);
  const listened = assert.rejects(send(2), { code: "offline", retryable: true });
  world.advance(0);
  await listened;
  world.welcome();
  assert.deepEqual(world.socket.calls, []);
  void send(3);
  assert.deepEqual(world.socket.calls.map((call) => call[3]), [[3]]);
  world.socket.break();
  world.advance(1000);
  world.welcome();
  assert.deepEqual(world.socket.calls, [], "nor is it sent again");
  assert.deepEqual(errors, [], "losing one is what was asked for");
});

test("a call in flight when the line breaks is sent again under its own id, first", async () => {
  const world = new World();
  world.welcome();
  const one = world.SS.server.app.square(1);
  const two = world.SS.server.app.square(2);
  world.socket.say([1, 2, "two"]);
  const three = world.SS.server.app.square(3);
  world.socket.break();
  const four = world.SS.server.app.square(4);
  world.advance(1000);
  world.welcome({ recovered: true });
  assert.deepEqual(world.socket.calls, [
    [1, 1, "app/square", [1], 1],
    [1, 3, "app/square", [3], 1],
    [1, 4, "app/square", [4]],
  ]);
  for (const id of [4, 3, 1]) world.socket.say([1, id, "answer " + id]);
  assert.deepEqual(await Promise.all([one, two, three, four]), ["answer 1", "two", "answer 3", "answer 4"]);
});

test("calls sent again come before those that still wait for their turn", () => {
  const world = new World();
  world.welcome();
  for (let n = 1; n <= 200; n++) void world.SS.server.app.square(n);
  assert.equal(world.socket.calls.length, 150);
  world.socket.break();
  world.advance(1000);
  world.welcome();
  world.advance(2000);
  assert.deepEqual(world.socket.calls.map((call) => call[1]), Array.from({ length: 200 }, (_, n) => n + 1));
  assert.equal(world.socket.calls.filter((call) => call[4] === 1).length, 150);
});

test("a call sent again stays marked over further breaks", () => {
  const world = new World();
  world.welcome();
  void world.SS.server.app.square(1);
  world.socket.break();
  world.advance(1000);
  world.socket.open();
  world.socket.break();
  world.advance(2000);
  world.welcome();
  assert.deepEqual(world.socket.calls, [[1, 1, "app/square", [1], 1]]);
});

test("outcome_unknown reaches the caller", async () => {
  const world = new World();
  world.welcome();
  const answer = world.SS.server.app.square(1);
  world.socket.break();
  world.advance(1000);
  world.welcome({ recovered: false });
  world.socket.say([2, 1, "outcome_unknown", "The call may or may not have run", 0]);
  await assert.rejects(answer, { code: "outcome_unknown", retryable: false });
});

test("when the server ends it for good, calls end too, and new ones are refused", async () => {
  const world = new World();
  world.welcome();
  world.errors();
  const flying = assert.rejects(world.SS.server.app.square(1), { code: "outcome_unknown" });
  world.socket.break(4000, "not of this protocol");
  await flying;
  const refused = assert.rejects(world.SS.server.app.square(2), { code: "offline" });
  world.advance(60000);
  await refused;
  assert.equal(world.sockets.length, 1);
});

test("a message that is too large is refused here and never sent", async () => {
  const world = new World();
  world.welcome({ options: { message_bytes: 64 } });
  const failed = assert.rejects(world.SS.server.app.square("ü".repeat(30)), { code: "too_large", retryable: false });
  await failed;
  void world.SS.server.app.square("u".repeat(30));
  assert.equal(world.socket.calls.length, 1);
});

test("arguments that are not JSON are a bad request", async () => {
  const world = new World();
  world.welcome();
  const cycle = {};
  cycle.self = cycle;
  for (const value of [cycle, 1n]) {
    const failed = assert.rejects(world.SS.server.app.square(value), { code: "bad_request" });
    world.advance(0);
    await failed;
  }
  assert.deepEqual(world.socket.calls, []);
});

test("trailing options count only beyond the data parameters, only when they are nothing else", () => {
  const world = new World();
  world.welcome();
  const { square, list, all } = world.SS.server.app;
  void square({ silent: true });
  void square(1, { silent: true });
  void square(1, {});
  void square(1, { silent: true, more: 1 });
  void square(1, { timeout_ms: 5, volatile: true }, () => {});
  void list({ silent: true });
  void all(1, { silent: true });
  assert.deepEqual(world.socket.calls.map((call) => call[3]), [
    [{ silent: true }], [1], [1, {}], [1, { silent: true, more: 1 }], [1], [], [1, { silent: true }],
  ]);
});

test("SS.with adds up, takes effect, and refuses what is no action", async () => {
  const world = new World();
  world.welcome();
  const fn = world.SS.with({ timeout_ms: 5 }, world.SS.with({ silent: true, timeout_ms: 9 }, world.SS.server.app.square));
  const failed = assert.rejects(fn(1), { code: "timeout" });
  world.advance(5);
  await failed;
  assert.throws(() => world.SS.with({}, () => {}), TypeError);
});

test("in development the answer of a call that nobody listens to is logged", async () => {
  const world = new World({ data: { env: "development" } });
  world.welcome();
  world.SS.server.app.square(25);
  world.SS.server.app.square(25, () => {});
  world.SS.server.app.square(25, { silent: true });
  const heard = world.SS.server.app.square(25).then(() => {});
  for (const id of [1, 2, 3, 4]) world.socket.say([1, id, 625]);
  await heard;
  assert.deepEqual(world.console, [["log", 625]]);
});

test("log levels are those of 2011", () => {
  const lines = [0, 1, 2, 3, 4].map((level) => {
    const world = new World({ data: { config: { log: { level } } } });
    world.welcome();
    world.errors();
    world.SS.events.on("news", () => {});
    world.SS.server.app.square(25, () => {});
    world.SS.server.app.square(1, { silent: true }, () => {});
    world.SS.server.app.list(() => {});
    world.socket.say([1, 1, 625]);
    world.socket.say([1, 2, 1]);
    world.socket.say([2, 3, "action_error", "boom", 0]);
    world.socket.say([3, "*", 1, "news", "hi"]);
    return world.console.map(([, ...line]) => line.map((part) => (part instanceof Error ? part.message : part)).join(" "));
  });
  assert.deepEqual(lines, [
    [],
    ["boom"],
    ["-> app/square", "boom", "=> news"],
    ["-> app/square 625", "boom", "=> news hi"],
    ["<- app/square [25]", "<- app/list []", "-> app/square 625", "boom", "=> news hi"],
  ]);
});
