import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as protocol from "../src/protocol.ts";
import { settled, World } from "./world.mjs";

const folder = new URL("../../testdata/protocol/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const examples = files.flatMap((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")));
const golden = JSON.parse(readFileSync(new URL("messages.json", folder), "utf8"));

test("there are golden messages of every kind", () => {
  const kinds = (direction) =>
    new Set(golden.filter((one) => one.direction === direction).map((one) => JSON.parse(one.text)[0]));
  assert.deepEqual([...kinds("client")].sort(), [0, 1, 2, 3]);
  assert.deepEqual([...kinds("server")].sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
});

/** What the client writes for the meaning of a golden message. */
const write = [
  (one) => protocol.hello(one.build_id, one.client_id, one.positions),
  (one) => protocol.callText({ ...one, args: JSON.stringify(one.args), options: one }),
  () => protocol.ping(),
  (one) => protocol.said(one.level, one.line),
];

for (const one of golden.filter((each) => each.direction === "client")) {
  test("the client writes: " + one.name, () => {
    assert.equal(write[JSON.parse(one.text)[0]](one), one.text);
  });
}

/** What the client does on each kind, as seen from outside. */
const read = {
  async 0(one) {
    const world = new World();
    world.welcome();
    world.socket.break();
    world.advance(1000);
    const seen = [];
    world.SS.events.on("recovered", (recovered) => seen.push(recovered));
    world.SS.events.on("upgrade", ({ build_id }) => seen.push(build_id));
    world.socket.open();
    world.socket.say(one.text);
    assert.deepEqual(seen, one.options.develops ? [one.recovered === true] : [one.recovered === true, one.build_id]);
    world.socket.break();
    world.advance(1000);
    world.socket.open();
    assert.deepEqual(world.socket.sent[0][4].map(([stream, epoch]) => [stream, epoch]), one.positions.map(([s, e]) => [s, e]));
    world.socket.say(one.text);
    world.advance(one.options.heartbeat_ms);
    assert.deepEqual(world.socket.sent.pop(), [2]);
  },
  async 1(one) {
    const world = calling(one.id);
    world.socket.say(one.text);
    assert.deepEqual(await world.answers.get(one.id), one.undefined ? undefined : one.value);
  },
  async 2(one) {
    const world = calling(one.id);
    const failed = assert.rejects(world.answers.get(one.id), (error) => {
      const { code, message, retryable } = error;
      assert.deepEqual({ code, message, retryable }, { code: one.code, message: one.message, retryable: one.retryable });
      if (one.stack) assert.equal(error.stack, one.stack);
      return true;
    });
    world.socket.say(one.text);
    await failed;
  },
  async 3(one) {
    const world = new World();
    world.welcome();
    const seen = [];
    world.SS.events.on(one.event, (...args) => seen.push(args));
    one.streams.forEach((stream, i) => stream === "!" || world.socket.say([4, stream, "e", one.offsets[i] - 1]));
    world.socket.say(one.text);
    const channel = one.streams.find((stream) => stream[0] === "#");
    assert.deepEqual(seen, [[one.undefined ? undefined : one.params, channel && channel.slice(1)]]);
    world.socket.say(one.text);
    assert.equal(seen.length, one.streams[0] === "!" ? 2 : 1);
  },
  async 4(one) {
    const world = new World();
    world.welcome();
    world.socket.say(one.text);
    assert.deepEqual(again(world)[4].pop(), [one.stream, one.epoch, one.offset]);
  },
  async 5(one) {
    const world = new World();
    world.welcome();
    world.socket.say([4, one.stream, "e", 3]);
    world.socket.say(one.text);
    assert.deepEqual(again(world)[4], [["*", "e1", 0]]);
  },
  async 6(one) {
    const world = new World();
    world.welcome();
    world.socket.say(one.text);
    await settled();
    assert.deepEqual(JSON.parse(world.posts[0][1].body), { ticket: one.ticket });
  },
  async 7(one) {
    const world = new World();
    world.welcome();
    world.socket.say(one.text);
    world.advance(one.after_ms - 1);
    assert.equal(world.sockets.length, 1);
    world.advance(1);
    assert.equal(world.sockets.length, 2);
  },
  async 8(one) {
    const world = new World();
    world.welcome();
    const seen = [];
    world.SS.events.on("upgrade", ({ build_id }) => seen.push(build_id));
    world.socket.say(one.text);
    assert.deepEqual(seen, [one.build_id]);
  },
  async 9(one) {
    const world = new World();
    world.welcome();
    world.advance(25000);
    world.socket.say(one.text);
    world.advance(24999);
    assert.equal(world.SS.socket.state, "open");
  },
  async 10(one) {
    const world = new World();
    world.welcome();
    world.socket.say(one.text);
    assert.deepEqual(world.console, [[["error", "warn"][one.level] || "log", one.line]]);
  },
  11: developing,
  12: developing,
  13: developing,
};

/** What only development builds read reaches the part that they have for it, and is nothing to others. */
function developing(one) {
  const world = new World();
  world.welcome();
  world.socket.say(one.text);
  const heard = [];
  world.loader.develop = (message, page, send) => {
    heard.push(message[1]);
    page.build = "b2";
    send("[3,0,\"said\"]");
  };
  world.socket.say(one.text);
  assert.deepEqual(heard, [one.body]);
  assert.deepEqual(world.socket.sent.pop(), [3, 0, "said"]);
  world.socket.break();
  world.advance(1000);
  world.socket.open();
  assert.equal(world.socket.sent[0][2], "b2", "the page says the build that it was brought to");
}

function calling(id) {
  const world = new World();
  world.welcome();
  world.answers = new Map();
  for (let n = 1; n <= id; n++) world.answers.set(n, world.SS.server.app.list());
  return world;
}

/** The hello of the next connection. */
function again(world) {
  world.socket.break();
  world.advance(1000);
  world.socket.open();
  return world.socket.sent[0];
}

for (const one of golden.filter((each) => each.direction === "server")) {
  test("the client reads: " + one.name, () => read[JSON.parse(one.text)[0]](one));
  test("the client ignores what a later version appends to: " + one.name, () => {
    const more = JSON.parse(one.text);
    if (one.undefined || one.name === "welcome" || more[0] === 2) return; // what is appended would be read
    return read[more[0]]({ ...one, text: JSON.stringify(more.concat("later")) });
  });
}

test("what is no message is ignored", () => {
  const world = new World();
  world.welcome();
  const refused = examples.filter((one) => one.close && typeof (protocol.decode(one.text) || [])[0] !== "number");
  assert.ok(refused.length >= 5);
  for (const one of refused) world.socket.say(one.text);
  world.socket.say("[99,1]");
  world.socket.onmessage({ data: new ArrayBuffer(2) });
  assert.equal(world.SS.socket.state, "open");
  assert.deepEqual(world.raised, []);
});
