// Several messages in a frame, in both directions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { settled, World } from "./world.mjs";

/** How many messages there are in each frame that was sent behind the hello. */
const sizes = (socket) => socket.frames.slice(1).map((frame) => frame.length);

test("calls of one task leave in one frame, in their order", async () => {
  const world = new World();
  world.welcome();
  for (let n = 0; n < 16; n++) void world.SS.server.app.square(n);
  assert.equal(world.socket.texts.length, 1, "not within the task");
  await null;
  assert.deepEqual(sizes(world.socket), [16]);
  assert.deepEqual(world.socket.calls.map((call) => call[3][0]), [...Array(16).keys()]);
  void world.SS.server.app.square(16);
  assert.deepEqual(sizes(world.socket), [16, 1]);
});

test("the hello is alone, and so leaves what waited for the welcome", () => {
  const world = new World();
  for (let n = 0; n < 20; n++) void world.SS.server.app.square(n);
  world.socket.open();
  assert.deepEqual(world.socket.frames.map((frame) => frame.map(([kind]) => kind)), [[0]]);
  world.socket.say([0, 1, "b1", null, [], {}]);
  assert.deepEqual(sizes(world.socket), [20]);
});

test("a frame has 64 messages at most", () => {
  const world = new World();
  world.welcome();
  for (let n = 0; n < 140; n++) void world.SS.server.app.square(n);
  assert.equal(world.socket.texts.length, 3, "full ones leave at once");
  assert.deepEqual(sizes(world.socket), [64, 64, 12]);
  assert.deepEqual(world.socket.calls.map((call) => call[1]), Array.from({ length: 140 }, (_, n) => n + 1));
});

test("a frame does not grow above 16,384 characters, and a large message goes alone", () => {
  const world = new World();
  world.welcome();
  for (const length of [1, 6000, 6000, 6000, 20000, 2, 3]) void world.SS.server.app.square("x".repeat(length));
  assert.deepEqual(sizes(world.socket), [3, 1, 1, 2]);
  assert.ok(world.socket.texts.every((text) => text.length <= 16384 || !text.includes("\n")));
});

test("a frame is no larger than the server takes, whatever its letters are", () => {
  const world = new World();
  world.welcome({ options: { message_bytes: 3000 } });
  for (let n = 0; n < 12; n++) void world.SS.server.app.square("\u20ac".repeat(300));
  assert.equal(world.socket.calls.length, 12);
  assert.ok(Math.max(...sizes(world.socket)) > 1);
  for (const text of world.socket.texts) assert.ok(Buffer.byteLength(text) <= 3000, String(Buffer.byteLength(text)));
});

test("calls that answers of one frame lead to are one frame", async () => {
  const world = new World();
  world.welcome();
  const { square } = world.SS.server.app;
  const ways = [
    (n) => square(n).then((value) => square(value)),
    async (n) => square(await square(n)),
    (n) => square(n, (value) => void square(value)),
  ];
  for (let n = 0; n < 18; n++) void ways[n % 3](n);
  assert.deepEqual(sizes(world.socket), [18]);
  world.socket.frame(...Array.from({ length: 18 }, (_, n) => [1, n + 1, "again " + n]));
  await settled();
  assert.deepEqual(sizes(world.socket), [18, 18]);
  assert.equal(world.socket.calls.length, 36);
});

test("what waits for an answer runs before the message behind it, in a frame as between frames", async () => {
  for (const together of [true, false]) {
    const world = new World();
    world.welcome();
    const seen = [];
    const enter = async () => ["history", ...(await world.SS.server.app.list())];
    const entered = (async () => {
      seen.push(...(await enter()));
      world.SS.events.on("said", (word) => seen.push(word));
    })();
    const messages = [[1, 1, ["a"]], [3, "*", 1, "said", "b"], [3, "*", 2, "said", "c"]];
    if (together) world.socket.frame(...messages);
    else {
      for (const message of messages) {
        world.socket.frame(message);
        await settled();
      }
    }
    await entered;
    await settled();
    assert.deepEqual(seen, ["history", "a", "b", "c"], together ? "together" : "apart");
  }
});

test("a handler that throws does not keep back what stands behind its message", async () => {
  const world = new World();
  world.welcome();
  const thrown = [new Error("in a handler"), new Error("in a callback")];
  const seen = [];
  world.SS.events.on("first", () => { throw thrown[0]; });
  world.SS.events.on("last", () => seen.push("last"));
  world.SS.server.app.list(() => { throw thrown[1]; });
  const answer = world.SS.server.app.list();
  // One that the server does not send: its reader fails, and not those of the others.
  world.socket.frame([3, "*", 1, "first"], [1, 1, 1], "no message", [3], [1, 2, "fine"], [3, "*", 2, "last"]);
  await settled();
  assert.equal(await answer, "fine");
  assert.deepEqual(seen, ["last"]);
  assert.deepEqual(world.raised.slice(0, 2), thrown);
  assert.equal(world.raised.length, 3);
});

test("a handler that disconnects hears nothing more", async () => {
  const world = new World();
  world.welcome();
  const seen = [];
  world.SS.events.on("n", (n) => {
    seen.push(n);
    if (n === 2) world.SS.socket.disconnect();
  });
  world.socket.frame([3, "*", 1, "n", 1], [3, "*", 2, "n", 2], [3, "*", 3, "n", 3]);
  await settled();
  assert.deepEqual(seen, [1, 2]);
  world.SS.socket.connect();
  world.socket.open();
  assert.deepEqual(world.socket.sent[0][4], [["*", "e1", 2]], "it will be told again");
});

test("the welcome and what follows it may be one frame", async () => {
  const world = new World();
  const seen = [];
  world.SS.events.on("n", (n) => seen.push(n));
  const answer = world.SS.server.app.list();
  world.socket.open();
  world.socket.frame([0, 1, "b1", null, [["*", "e1", 0]], {}], [3, "*", 1, "n", 1], [3, "*", 2, "n", 2]);
  await settled();
  assert.deepEqual(seen, [1, 2]);
  world.socket.frame([1, 1, "here"]);
  assert.equal(await answer, "here");
});

test("what was called before a disconnect in the same task has left, and nothing leaves behind it", async () => {
  const world = new World();
  world.welcome();
  world.errors();
  const { socket } = world;
  void world.SS.server.app.square(1);
  void world.SS.server.app.square(2);
  world.SS.socket.disconnect();
  assert.deepEqual(socket.texts.slice(1).length, 1);
  void world.SS.server.app.square(3);
  await settled();
  assert.deepEqual(sizes(socket), [2]);
  world.SS.socket.connect();
  world.welcome({ recovered: true });
  assert.deepEqual(world.socket.calls.map((call) => [call[1], call[4]]), [[1, 1], [2, 1], [3, undefined]]);
  assert.deepEqual(sizes(world.socket), [3], "the calls made again and the new one");
});

test("what had not left when the line broke is sent once, on the next", () => {
  const world = new World();
  world.welcome();
  const { socket } = world;
  void world.SS.server.app.square(1);
  // As a line that breaks within the task: nothing has left.
  socket.onclose({ code: 1006, reason: "" });
  world.advance(1000);
  world.welcome({ recovered: true });
  assert.deepEqual(sizes(socket), []);
  assert.deepEqual(world.socket.calls.map((call) => call[1]), [1]);
});
